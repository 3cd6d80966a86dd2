// A filter as the WHERE of a query over the measurement of events. Texts and times travel as
// parameters.
//
// Whether a tag is among an event's is asked of its JSON list. Before that the tag as JSON is
// looked for as text, which is many times quicker and leaves out nearly all that do not have it;
// alone it would find `,` in ["a,","b"]. Rows that some client wrote into the measurement with tags
// that are no JSON have none.

import { isoTime } from "#lib/protocol/text-times.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { EventFilter } from "./filter.ts";

export type SqlParams = Readonly<Record<string, string | number | boolean>>;

export interface Sql {
  readonly text: string;
  /** Values of `$name`. */
  readonly params: SqlParams;
}

/** Always has a condition. */
export function eventCondition(filter: EventFilter): Sql {
  return both(timeCondition(filter), both(typeCondition(filter.type), tagsCondition(filter.tags)));
}

/** Conditions of `TRUE` are left out. */
export function both(a: Sql, b: Sql): Sql {
  if (a.text === "TRUE") return b;
  if (b.text === "TRUE") return a;
  return { text: `${a.text} AND ${b.text}`, params: { ...a.params, ...b.params } };
}

const ALL: Sql = { text: "TRUE", params: {} };

export function timeCondition({ fromUs, toUs }: Pick<EventFilter, "fromUs" | "toUs">): Sql {
  const from = fromUs === null ? ALL : moment("time >=", "from", fromUs);
  return both(from, toUs === null ? ALL : moment("time <=", "to", toUs));
}

/** Beyond the years of a time there is none, and nothing to compare with. */
function moment(comparison: string, name: string, us: bigint): Sql {
  if (us < LIMITS.timeUsMin || us > LIMITS.timeUsMax) return { text: "FALSE", params: {} };
  const params = { [name]: isoTime(us) };
  return { text: `${comparison} CAST($${name} AS TIMESTAMP)`, params };
}

function typeCondition(type: string | null): Sql {
  return type === null ? ALL : { text: "type = $type", params: { type } };
}

/** `column` has JSON lists of texts, as the tags of events are. */
export function tagsCondition(tags: readonly string[], column = "tags"): Sql {
  if (tags.length === 0) return ALL;
  const all = tags.map((tag, at) => ({
    seen: `contains(${column}, $quoted${at})`,
    exact: `list_contains(${tagList(column)}, $tag${at})`,
    params: { [`quoted${at}`]: JSON.stringify(tag), [`tag${at}`]: tag },
  }));
  const seen = all.map((one) => one.seen).join(" AND ");
  const exact = all.map((one) => one.exact).join(" AND ");
  return {
    text: `CASE WHEN ${seen} AND json_valid(${column}) THEN ${exact} ELSE FALSE END`,
    params: Object.assign({}, ...all.map((one) => one.params)) as SqlParams,
  };
}

/** What is JSON and no list of texts has none. */
export function tagList(column: string): string {
  return `from_json(${column}, '["VARCHAR"]')`;
}
