// Where a page of events ended, as a text that is handed out and comes back.
//
// It carries what must not change from page to page: up to which place of the stream events count,
// what `now` meant, and a digest of the filter. Nobody gains by forging one: it only says where to
// go on among events that the token may read anyway.

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "./wrong-parameter.ts";

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
}

const CHARS_MAX = 400;
const WHOLE = /^-?\d{1,18}$/;
const STEP = /^\d{1,18}$/;

export function cursorText({ position, nowUs, timeUs, seq, stepUs, digest }: Cursor): string {
  const parts = [position, seq, `${nowUs}`, `${timeUs}`, `${stepUs}`, digest];
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** Throws `parameter_invalid` for what is no cursor, or one of another question. */
export function parseCursor(text: unknown, digest: string): Cursor {
  const parts = typeof text === "string" && text.length <= CHARS_MAX ? partsOf(text) : null;
  if (parts === null)
    throw wrongParameter("cursor", "what an earlier answer gave as x-next-cursor");
  if (parts.digest === digest) return parts;
  throw wrongParameter("cursor", "used with the same filter, order and database as before");
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
  if (!Array.isArray(parts) || parts.length !== 6) return null;
  const [position, seq, nowUs, timeUs, stepUs, digest] = parts as unknown[];
  if (!Number.isSafeInteger(position) || !Number.isSafeInteger(seq)) return null;
  if (!isTime(nowUs) || !isTime(timeUs) || typeof digest !== "string") return null;
  if (typeof stepUs !== "string" || !STEP.test(stepUs)) return null;
  const times = { nowUs: BigInt(nowUs), timeUs: BigInt(timeUs), stepUs: BigInt(stepUs) };
  return { position: position as number, seq: seq as number, ...times, digest };
}

function isTime(value: unknown): value is string {
  if (typeof value !== "string" || !WHOLE.test(value)) return false;
  return BigInt(value) >= LIMITS.timeUsMin && BigInt(value) <= LIMITS.timeUsMax;
}
