// Names of columns and tags from their bytes: the same few names come with every row, and making a
// string of each would cost more than parsing the row.
//
// A name is checked when it is first seen. Hash collisions and names beyond the cache's size cost
// time and nothing else.

import { SluiceError } from "#lib/base/errors.ts";
import { columnNameFault } from "./walk-batch.ts";
import { LIMITS } from "#lib/base/limits.ts";

const SLOTS = 4096;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

interface CachedName {
  readonly bytes: Uint8Array;
  readonly name: string;
}

export class NameCache {
  readonly #slots: (CachedName | undefined)[] = Array.from({ length: SLOTS });

  /** Refuses (`column_name_invalid`, `text_invalid`) bytes that are no name of a column. */
  name(bytes: Uint8Array, start: number, end: number): string {
    const slot = hashOf(bytes, start, end) & (SLOTS - 1);
    const cached = this.#slots[slot];
    if (cached !== undefined && isSame(cached.bytes, bytes, start, end)) return cached.name;
    const name = columnName(bytes, start, end);
    this.#slots[slot] = { bytes: bytes.slice(start, end), name };
    return name;
  }
}

function columnName(bytes: Uint8Array, start: number, end: number): string {
  const limit = LIMITS.columnNameBytesMax;
  if (end - start > limit) {
    const message = `a column's name has ${end - start} bytes, more than ${limit}`;
    throw new SluiceError("column_name_invalid", message, { limit });
  }
  let name: string;
  try {
    name = UTF8.decode(bytes.subarray(start, end));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new SluiceError("text_invalid", "a column's name is not valid UTF-8");
  }
  const fault = columnNameFault(name);
  if (fault !== null) throw new SluiceError("column_name_invalid", fault, { column: name });
  return name;
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  const stop = Math.min(end, start + LIMITS.columnNameBytesMax);
  for (let at = start; at < stop; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
  return hash ^ (hash >>> 15);
}
