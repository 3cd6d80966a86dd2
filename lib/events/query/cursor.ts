// Where a page of events ended, as a text that is handed out and comes back.
//
// It carries what must not change from page to page: up to which place of the stream events count,
// what `now` meant, and the question itself, so that a link to the next page is enough where the
// question was a body; of a question too long for a header only a digest. Nobody gains by forging
// one: it only says where to go on among events that the token may read anyway.

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { LIMITS } from "#lib/base/limits.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";

export interface Cursor {
  /** Events of later places came after the first page and are left out. */
  readonly position: number;
  readonly nowUs: bigint;
  /** The last event of the page before. */
  readonly timeUs: bigint;
  readonly seq: number;
  /** How far apart the events of that page were. Only a guess where the next ones are. */
  readonly stepUs: bigint;
  /** Of the filter, the order and the database. */
  readonly digest: string;
  /** The question as it came, without its cursor. Empty where it is too long. */
  readonly asked: JsonObject;
}

const CHARS_MAX = 2_500;
const ASKED_BYTES_MAX = 1_500;
const WHOLE = /^-?\d{1,18}$/;
const STEP = /^\d{1,18}$/;

export function cursorText(cursor: Cursor): string {
  const { position, nowUs, timeUs, seq, stepUs, digest, asked } = cursor;
  const isShort = Buffer.byteLength(JSON.stringify(asked)) <= ASKED_BYTES_MAX;
  const parts = [position, seq, `${nowUs}`, `${timeUs}`, `${stepUs}`, digest, isShort ? asked : {}];
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** Throws `parameter_invalid` for what is no cursor. */
export function parseCursor(text: unknown): Cursor {
  const cursor = typeof text === "string" && text.length <= CHARS_MAX ? partsOf(text) : null;
  if (cursor !== null) return cursor;
  throw wrongParameter("cursor", "what an earlier answer gave as x-next-cursor");
}

export function filterDigest(parts: unknown): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
}

function partsOf(text: string): Cursor | null {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return null;
  }
  if (!Array.isArray(parts) || parts.length !== 7) return null;
  const [position, seq, nowUs, timeUs, stepUs, digest, asked] = parts as unknown[];
  if (!Number.isSafeInteger(position) || !Number.isSafeInteger(seq)) return null;
  if (!isTime(nowUs) || !isTime(timeUs) || typeof digest !== "string") return null;
  if (typeof stepUs !== "string" || !STEP.test(stepUs)) return null;
  if (typeof asked !== "object" || asked === null) return null;
  const times = { nowUs: BigInt(nowUs), timeUs: BigInt(timeUs), stepUs: BigInt(stepUs) };
  const place = { position: position as number, seq: seq as number };
  return { ...place, ...times, digest, asked: asked as JsonObject };
}

function isTime(value: unknown): value is string {
  if (typeof value !== "string" || !WHOLE.test(value)) return false;
  return BigInt(value) >= LIMITS.timeUsMin && BigInt(value) <= LIMITS.timeUsMax;
}
