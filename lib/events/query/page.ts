// A page of events, newest first, that stays where it was while events come in.
//
// The first page notes how far the stream had come; later pages leave out what came after, and go
// on behind the last event shown, by time and place. So no event is shown twice and none is passed
// over, however many are written meanwhile. Pages by number are counted out anew each time, up to a
// depth; given the `position` that the first answer told, they are of the same events, too.

import { LIMITS } from "#lib/base/limits.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import { isoTime } from "#lib/protocol/text-times.ts";
import { EVENTS_MEASUREMENT, type StoredEvent } from "#lib/events/types.ts";
import { both, eventCondition, type Sql, timeCondition } from "./conditions.ts";
import { type Cursor, cursorText, filterDigest, parseCursor } from "./cursor.ts";
import { eventFilter, type EventFilter } from "./filter.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";

export interface PageQuestion {
  readonly filter: EventFilter;
  readonly order: "desc" | "asc";
  readonly rowsMax: number;
  readonly offset: number;
  /** Of the first page; null: wherever the stream is now. */
  readonly position: number | null;
  /** Only events behind this one. */
  readonly after: Pick<Cursor, "timeUs" | "seq" | "stepUs"> | null;
  readonly nowUs: bigint;
  readonly digest: string;
  /** What the next page's cursor carries. */
  readonly asked: JsonObject;
}

/** What a cursor stands for where it comes alone. */
const CARRIED = ["tags", "type", "timestamp", "order", "per_page"];

/** Of a request as request.ts gives it. Throws `parameter_invalid`. */
export function pageQuestion(request: JsonObject, database: string, nowUs: bigint): PageQuestion {
  const cursor = request["cursor"] === undefined ? null : parseCursor(request["cursor"]);
  const asked = carried({ ...cursor?.asked, ...request });
  const { tags = [], type = null, timestamp = null, order = "desc" } = asked;
  const digest = filterDigest([database, order, tags, type, timestamp]);
  if (cursor !== null && cursor.digest !== digest) {
    throw wrongParameter("cursor", "used with the same filter, order and database as before");
  }
  const rowsMax =
    wholeNumber(asked, "per_page", 1, LIMITS.eventPageRowsMax) ?? LIMITS.eventPageRowsDefault;
  const page = wholeNumber(request, "page", 1, LIMITS.eventOffsetMax);
  const position = wholeNumber(request, "position", 0, Number.MAX_SAFE_INTEGER);
  if (cursor !== null && (page !== null || position !== null)) {
    throw wrongParameter("cursor", "without page and position, which it replaces");
  }
  return {
    filter: eventFilter(asked, cursor?.nowUs ?? nowUs),
    order: orderOf(order),
    rowsMax,
    offset: offsetOf(page ?? 1, rowsMax),
    position: cursor?.position ?? position,
    after: cursor,
    nowUs: cursor?.nowUs ?? nowUs,
    digest,
    asked: { ...asked, per_page: rowsMax },
  };
}

function carried(request: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(request).filter(([field]) => CARRIED.includes(field)));
}

function offsetOf(page: number, rowsMax: number): number {
  const offset = (page - 1) * rowsMax;
  if (offset <= LIMITS.eventOffsetMax) return offset;
  const expected = `within the first ${LIMITS.eventOffsetMax} events; follow the cursor`;
  throw wrongParameter("page", expected);
}

/** Where an event stands. Integers as texts, which no reader rounds. */
export type EventKey = readonly [timeUs: string, seq: string];

/** Times the room that a page would take if its events came as those of the page before. */
const REACH = 4n;

/**
 * One key more than the page has events, if there is one: then there is a next page. Looked for
 * near the page before, where all of a page's events most likely are; only if that are too few,
 * among all that there are.
 */
export async function findKeys(
  question: PageQuestion,
  position: number,
  ask: (sql: Sql) => Promise<readonly unknown[][]>,
): Promise<EventKey[]> {
  const farUs = reach(question);
  if (farUs !== null) {
    const near = await ask(keysSql(question, position, farUs));
    if (near.length > question.rowsMax) return near as unknown as EventKey[];
  }
  return (await ask(keysSql(question, position, null))) as unknown as EventKey[];
}

/** To what time events are looked for first; null: nothing to guess from, or nothing left out. */
function reach({ filter, after, order, rowsMax }: PageQuestion): bigint | null {
  if (after === null) return null;
  const reachUs = REACH * after.stepUs * BigInt(rowsMax + 1);
  if (order === "desc") {
    const farUs = after.timeUs - reachUs;
    return farUs <= (filter.fromUs ?? LIMITS.timeUsMin) ? null : farUs;
  }
  const farUs = after.timeUs + reachUs;
  return farUs >= (filter.toUs ?? LIMITS.timeUsMax) ? null : farUs;
}

/** `farUs`: no events beyond it; null: all. */
function keysSql(question: PageQuestion, position: number, farUs: bigint | null): Sql {
  const { filter, order, rowsMax, offset, after } = question;
  const upTo = { text: "seq <= $position", params: { position } };
  const near = both(keyCondition(after, order), reachCondition(farUs, order));
  const condition = both(both(eventCondition(filter), upTo), near);
  const direction = order === "desc" ? "DESC" : "ASC";
  const text = `SELECT epoch_us(time), seq FROM ${EVENTS_MEASUREMENT}
    WHERE ${condition.text} ORDER BY time ${direction}, seq ${direction}
    LIMIT ${rowsMax + 1} OFFSET ${offset}`;
  return { text, params: condition.params };
}

function reachCondition(farUs: bigint | null, order: "desc" | "asc"): Sql {
  if (farUs === null) return { text: "TRUE", params: {} };
  const text = `time ${order === "desc" ? ">=" : "<="} CAST($farTime AS TIMESTAMP)`;
  return { text, params: { farTime: isoTime(farUs) } };
}

/** The bound on time alone is for leaving out files. */
function keyCondition(after: PageQuestion["after"], order: "desc" | "asc"): Sql {
  if (after === null) return { text: "TRUE", params: {} };
  const [orEqual, beyond] = order === "desc" ? ["<=", "<"] : [">=", ">"];
  const keyTime = "CAST($keyTime AS TIMESTAMP)";
  const params = { keyTime: isoTime(after.timeUs), keySeq: after.seq };
  const text = `time ${orEqual} ${keyTime} AND (time ${beyond} ${keyTime} OR seq ${beyond} $keySeq)`;
  return { text, params };
}

/**
 * The events of some keys, in no order: to sort whole events by time, the engine would have to hold
 * all of them.
 */
export function eventsSql(keys: readonly EventKey[]): Sql {
  const times = keys.map(([timeUs]) => BigInt(timeUs)).toSorted((a, b) => (a < b ? -1 : 1));
  const within = timeCondition({ fromUs: times[0]!, toUs: times.at(-1)! });
  const names = keys.map((_, at) => `seq${at}`);
  const places = Object.fromEntries(keys.map(([, seq], at) => [names[at]!, Number(seq)]));
  const text = `SELECT seq, epoch_us(time), id, type, tags, value FROM ${EVENTS_MEASUREMENT}
    WHERE ${within.text} AND seq IN (${names.map((name) => `$${name}`).join(", ")})`;
  return { text, params: { ...within.params, ...places } };
}

type EventRow = readonly [
  seq: string,
  timeUs: string,
  id: string,
  type: string,
  tags: string,
  value: string | null,
];

/** Rows as the events of the keys; what was deleted since its key was read is not among them. */
export function eventsOf(keys: readonly EventKey[], rows: readonly unknown[][]): StoredEvent[] {
  const bySeq = new Map((rows as unknown as EventRow[]).map((row) => [row[0], row]));
  return keys
    .map(([, seq]) => bySeq.get(seq))
    .filter((row) => row !== undefined)
    .map(storedEvent);
}

/** Behind the last event of a page; null: it is the last page. `keys` as `findKeys` gives them. */
export function nextCursor(
  keys: readonly EventKey[],
  question: PageQuestion,
  position: number,
): string | null {
  const { rowsMax, nowUs, digest, asked } = question;
  if (keys.length <= rowsMax) return null;
  const [timeUs, seq] = keys[rowsMax - 1]!;
  const spanUs = BigInt(keys[0]![0]) - BigInt(keys[rowsMax]![0]);
  const stepUs = (spanUs < 0n ? -spanUs : spanUs) / BigInt(rowsMax) + 1n;
  const last = { timeUs: BigInt(timeUs), seq: Number(seq), stepUs };
  return cursorText({ position, nowUs, ...last, digest, asked });
}

function storedEvent([seq, timeUs, id, type, tags, valueJson]: EventRow): StoredEvent {
  const known = { id, seq: Number(seq), type, tags: JSON.parse(tags) as string[] };
  return { ...known, valueJson, timeUs: Number(timeUs) };
}

function orderOf(value: unknown): "desc" | "asc" {
  if (value === "desc" || value === "asc") return value;
  throw wrongParameter("order", "desc or asc");
}

/** A number in a body, a text in the URL; null: it is missing. */
function wholeNumber(request: JsonObject, field: string, min: number, max: number): number | null {
  const value = request[field];
  if (value === undefined) return null;
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (Number.isInteger(number) && (number as number) >= min && (number as number) <= max) {
    return number as number;
  }
  throw wrongParameter(field, `a whole number from ${min} to ${max}`);
}
