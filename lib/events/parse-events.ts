// The body of a POST of events: one event, or a list of them.
//
// Taken whole or refused whole (`event_invalid`), naming the item and the field. A field that is
// not known is refused too: a misspelt `value` would be lost in silence. A type that is blank
// counts as not given.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { parseTime } from "#lib/protocol/text-times.ts";
import { parseExactJson, surveyJson } from "./exact-json.ts";
import { EVENT_TYPE, EVENT_TYPE_DEFAULT, type NewEvent } from "./types.ts";

const FIELDS: ReadonlySet<string> = new Set(["id", "type", "tags", "value", "timestamp"]);
const ID = /^[A-Za-z0-9._:-]{1,64}$/;
const UTF8 = new TextEncoder();

export interface ParsedEvents {
  readonly newEvents: readonly NewEvent[];
  /** False: it was one event by itself. */
  readonly isList: boolean;
}

/** Throws `json_invalid`, `batch_too_large` or `event_invalid`. */
export function parseNewEvents(body: Uint8Array): ParsedEvents {
  const parsed = parseJson(body);
  const isList = Array.isArray(parsed);
  const items: readonly unknown[] = isList ? parsed : [parsed];
  const limit = LIMITS.eventsPerRequestMax;
  if (items.length > limit) {
    const message = `${items.length} events in one request, more than ${limit}`;
    throw new SluiceError("batch_too_large", message, { limit });
  }
  // Nothing to store is nothing that a stream could give a place to.
  if (items.length === 0) throw new SluiceError("event_invalid", "the list of events is empty");
  return { newEvents: items.map(newEvent), isList };
}

function parseJson(body: Uint8Array): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body);
    const survey = surveyJson(text);
    const isList = /^\s*\[/.test(text);
    const { eventValueDepthMax: limit } = LIMITS;
    if (survey.depth - (isList ? 2 : 1) > limit) {
      throw invalid(isList ? survey.item : 0, "value", `nested at most ${limit} deep`);
    }
    return parseExactJson(text, survey);
  } catch (cause) {
    if (isSluiceError(cause)) throw cause;
    const message = `invalid JSON body: ${(cause as Error).message}`;
    throw new SluiceError("json_invalid", message, {}, { cause });
  }
}

function newEvent(value: unknown, item: number): NewEvent {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || JSON.isRawJSON(value)) {
    throw invalid(item, "event", "an object");
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(fields).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) throw invalid(item, unknown, `one of ${[...FIELDS].join(", ")}`);
  return {
    id: idOf(fields["id"] ?? null, item),
    type: typeOf(fields["type"] ?? "", item),
    tags: tagsOf(fields["tags"], item),
    valueJson: valueJsonOf(fields["value"], item),
    timeUs: timeUsOf(fields["timestamp"] ?? null, item),
  };
}

function idOf(value: unknown, item: number): string | null {
  if (value === null || (isText(value) && ID.test(value))) return value;
  throw invalid(item, "id", "up to 64 letters, digits and any of . _ : -");
}

function typeOf(value: unknown, item: number): string {
  if (value === "") return EVENT_TYPE_DEFAULT;
  if (isText(value) && EVENT_TYPE.test(value)) return value;
  throw invalid(item, "type", "up to 64 letters, digits, _ and -");
}

/** One with a zero byte could be stored, but no query could ask for it. */
function tagsOf(value: unknown, item: number): string[] {
  const { eventTagsMax, eventTagBytesMax: bytesMax } = LIMITS;
  const isList = Array.isArray(value) && value.length > 0 && value.length <= eventTagsMax;
  if (!isList) throw invalid(item, "tags", `a list of 1 to ${eventTagsMax} texts`);
  const odd = value.findIndex(
    (tag) => !isText(tag) || !/^[^\0]+$/.test(tag) || isLong(tag, bytesMax),
  );
  if (odd === -1) return [...new Set<string>(value)];
  throw invalid(item, `tags[${odd}]`, `a text of 1 to ${bytesMax} bytes, none of them zero`);
}

function valueJsonOf(value: unknown, item: number): string | null {
  if (value === undefined) return null;
  const limit = LIMITS.eventValueBytesMax;
  const valueJson = JSON.stringify(value);
  if (!isLong(valueJson, limit)) return valueJson;
  throw invalid(item, "value", `of at most ${limit} bytes as JSON`);
}

function timeUsOf(value: unknown, item: number): number | null {
  if (value === null) return null;
  const expected = "a time as in RFC 3339, within the years 1685 to 2254";
  if (!isText(value)) throw invalid(item, "timestamp", expected);
  try {
    const timeUs = Number(parseTime(value, "rfc3339"));
    if (Number.isSafeInteger(timeUs)) return timeUs;
  } catch (error) {
    if (!isSluiceError(error)) throw error;
  }
  throw invalid(item, "timestamp", expected);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed();
}

/** In UTF-8. */
function isLong(text: string, bytesMax: number): boolean {
  return 3 * text.length > bytesMax && UTF8.encode(text).length > bytesMax;
}

function invalid(item: number, field: string, expected: string): SluiceError {
  const message = `event ${item}: "${field}" must be ${expected}`;
  return new SluiceError("event_invalid", message, { item, field, expected });
}
