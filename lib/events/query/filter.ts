// Which events are meant: their tags (all of them), their type, their time.
//
// An exact time is a range of one moment, and `2015-04-21` or `now/d` of a day; all ends are
// inclusive in the end, to the microsecond.

import { LIMITS } from "#lib/base/limits.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import { EVENT_TYPE } from "#lib/events/types.ts";
import { parseMoment } from "./date-math.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";

export interface EventFilter {
  readonly tags: readonly string[];
  /** null: any. */
  readonly type: string | null;
  /** µs since 1970, both inclusive; null: open. */
  readonly fromUs: bigint | null;
  readonly toUs: bigint | null;
}

/** Of a request as request.ts gives it. Throws `parameter_invalid`. */
export function eventFilter(request: JsonObject, nowUs: bigint): EventFilter {
  const { tags, type, timestamp } = request;
  return {
    tags: tagsOf(tags ?? []),
    type: type === undefined ? null : typeOf(type),
    ...timeSpan(timestamp, nowUs),
  };
}

/** Throws `parameter_invalid`. */
export function tagsOf(value: unknown): string[] {
  if (!Array.isArray(value)) throw wrongParameter("tags", "a list of texts");
  if (value.length > LIMITS.eventTagsMax) {
    throw wrongParameter("tags", `at most ${LIMITS.eventTagsMax} tags`);
  }
  for (const [at, tag] of value.entries()) {
    if (typeof tag !== "string" || tag === "" || tag.includes("\0")) {
      throw wrongParameter(`tags[${at}]`, "a text that is not empty, without zero bytes");
    }
  }
  return [...new Set(value as string[])];
}

/** Throws `parameter_invalid`. */
export function typeOf(value: unknown): string {
  if (typeof value === "string" && EVENT_TYPE.test(value)) return value;
  throw wrongParameter("type", "1 to 64 letters, digits, _ or -");
}

type Span = Pick<EventFilter, "fromUs" | "toUs">;

function timeSpan(value: unknown, nowUs: bigint): Span {
  if (value === undefined) return { fromUs: null, toUs: null };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const fromUs = parseMoment("timestamp", value, "down", nowUs);
    return { fromUs, toUs: parseMoment("timestamp", value, "up", nowUs) };
  }
  let span: Span = { fromUs: null, toUs: null };
  for (const [operator, moment] of Object.entries(value)) {
    span = narrowed(span, operator, moment, nowUs);
  }
  return span;
}

function narrowed({ fromUs, toUs }: Span, operator: string, moment: unknown, nowUs: bigint): Span {
  const field = `timestamp.${operator}`;
  switch (operator) {
    case "gte":
      return { fromUs: later(fromUs, parseMoment(field, moment, "down", nowUs)), toUs };
    case "gt":
      return { fromUs: later(fromUs, parseMoment(field, moment, "up", nowUs) + 1n), toUs };
    case "lte":
      return { fromUs, toUs: earlier(toUs, parseMoment(field, moment, "up", nowUs)) };
    case "lt":
      return { fromUs, toUs: earlier(toUs, parseMoment(field, moment, "down", nowUs) - 1n) };
    default:
      throw wrongParameter(field, "one of lt, lte, gt, gte");
  }
}

function later(known: bigint | null, us: bigint): bigint {
  return known === null || us > known ? us : known;
}

function earlier(known: bigint | null, us: bigint): bigint {
  return known === null || us < known ? us : known;
}
