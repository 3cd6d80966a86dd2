// A text column's values as numbers of a dictionary that holds each text once.
//
// A table's heap may hold the texts of many row groups, and is then not what Parquet wants: a
// dictionary of the texts of this row group. Codes are renumbered in order of first appearance, so
// that equal rows give equal bytes. A heap that holds a text more than once is one whose decoder
// found that looking for repeats does not pay; here it would not pay either.

import type { Utf8Column } from "#lib/columnar/types.ts";

import { bitWidth } from "./bit-packing.ts";

/** Readers keep a chunk's dictionary in memory whole; 1 MiB is where other writers stop, too. */
const DICTIONARY_BYTES_MAX = 1 << 20;
/** With more texts than this share of the values, each appears too seldom to be worth an index. */
const DISTINCT_SHARE_MAX = 0.5;
export interface Dictionary {
  /** Heap entry of each text, by its number. */
  readonly entries: Int32Array;
  /** Per value the number of its text. */
  readonly indices: Int32Array;
  /** Bits of an index. */
  readonly indexWidth: number;
}

/** For column after column: what it returns is valid until it is asked again. */
export class DictionaryBuilder {
  readonly #entries = new ReusedArray();
  readonly #indices = new ReusedArray();
  readonly #numbers = new ReusedArray();

  /** null when the column's values repeat too little. `column` has no NULL and is not empty. */
  build(column: Utf8Column): Dictionary | null {
    if (!column.heap.isDistinct) return null;
    return isInOrderOfAppearance(column) ? this.#asItIs(column) : this.#renumbered(column);
  }

  /** Nearly always: rows that were decoded in order and are one row group. */
  #asItIs({ codes, heap, rowCount }: Utf8Column): Dictionary | null {
    let count = 0;
    for (let i = 0; i < rowCount; i++) if (codes[i] === count) count++;
    const byteLength = 4 * count + heap.offsets[count];
    if (count > textsMaxOf(rowCount) || byteLength > DICTIONARY_BYTES_MAX) return null;
    const entries = this.#entries.zeros(count);
    for (let entry = 0; entry < count; entry++) entries[entry] = entry;
    return { entries, indices: codes, indexWidth: indexWidthOf(count) };
  }

  #renumbered({ codes, heap, rowCount }: Utf8Column): Dictionary | null {
    const textsMax = textsMaxOf(rowCount);
    const entries = this.#entries.zeros(textsMax);
    const indices = this.#indices.zeros(rowCount);
    /** By code: number of its text + 1, 0 = not seen yet. */
    const numbers = this.#numbers.zeros(heap.entryCount);
    let count = 0;
    let byteLength = 0;
    for (let i = 0; i < rowCount; i++) {
      const code = codes[i];
      if (numbers[code] === 0) {
        byteLength += 4 + heap.offsets[code + 1] - heap.offsets[code];
        if (count === textsMax || byteLength > DICTIONARY_BYTES_MAX) return null;
        entries[count++] = code;
        numbers[code] = count;
      }
      indices[i] = numbers[code] - 1;
    }
    return { entries: entries.subarray(0, count), indices, indexWidth: indexWidthOf(count) };
  }
}

function isInOrderOfAppearance({ codes, rowCount }: Utf8Column): boolean {
  let count = 0;
  for (let i = 0; i < rowCount; i++) {
    if (codes[i] === count) count++;
    else if (codes[i] > count) return false;
  }
  return true;
}

function textsMaxOf(rowCount: number): number {
  return Math.ceil(rowCount * DISTINCT_SHARE_MAX);
}

/** Arrow writes one bit, not none, for a dictionary of one text; so all readers know that. */
function indexWidthOf(textCount: number): number {
  return Math.max(1, bitWidth(textCount - 1));
}

/**
 * Arrays of a megabyte, made anew for each column, would pile up faster than they are collected.
 */
class ReusedArray {
  #array = new Int32Array(0);

  zeros(length: number): Int32Array {
    if (this.#array.length < length) this.#array = new Int32Array(length);
    else this.#array.fill(0, 0, length);
    return this.#array.subarray(0, length);
  }
}
