// A text column's values as numbers of a dictionary that holds each text once.
//
// A table's heap may hold the texts of a whole segment, may hold a text more than once (heaps of
// many batches laid end to end), and is not what Parquet wants: a dictionary of the texts of this
// row group. Codes are renumbered in order of first appearance, so that equal rows give equal
// bytes.

import type { TextHeap, Utf8Column } from "#lib/columnar/types.ts";

import { bitWidth } from "./bit-packing.ts";

/** Readers keep a chunk's dictionary in memory whole; 1 MiB is where other writers stop, too. */
const DICTIONARY_BYTES_MAX = 1 << 20;
/** With more texts than this share of the values, each appears too seldom to be worth an index. */
const DISTINCT_SHARE_MAX = 0.5;
/**
 * Random ids of which 100,000 values hold half as many are 97 % distinct among the first 4,096.
 * Where there are more, the search for repeats is given up early: it costs more than anything else
 * here.
 */
const SAMPLE_VALUES = 4096;
const SAMPLE_DISTINCT_MAX = 0.97 * SAMPLE_VALUES;
/** Texts made to collide would otherwise turn each lookup into a search of the whole table. */
const PROBES_MAX = 64;

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
  readonly #slots = new ReusedArray();

  /** null when the column's values repeat too little. `column` has no NULL and is not empty. */
  build({ codes, heap, rowCount }: Utf8Column): Dictionary | null {
    const textsMax = Math.ceil(rowCount * DISTINCT_SHARE_MAX);
    const entries = this.#entries.zeros(textsMax);
    const indices = this.#indices.zeros(rowCount);
    /** By code: number of its text + 1, 0 = not seen yet. */
    const numbers = this.#numbers.zeros(heap.entryCount);
    const slotCount = heap.isDistinct ? 0 : 2 ** bitWidth(2 * textsMax);
    const slots = this.#slots.zeros(slotCount);
    const texts = heap.isDistinct ? null : new TextTable(heap, entries, slots);

    let count = 0;
    let byteLength = 0;
    for (let i = 0; i < rowCount; i++) {
      if (i === SAMPLE_VALUES && count > SAMPLE_DISTINCT_MAX) return null;
      const code = codes[i];
      let number = numbers[code] - 1;
      if (number < 0) {
        number = texts === null ? count : texts.find(code, count);
        if (number < 0) return null;
        numbers[code] = number + 1;
        if (number === count) {
          byteLength += 4 + heap.offsets[code + 1] - heap.offsets[code];
          if (count === textsMax || byteLength > DICTIONARY_BYTES_MAX) return null;
          entries[count++] = code;
        }
      }
      indices[i] = number;
    }
    // Arrow writes one bit, not none, for a dictionary of one text; so all readers know that.
    const indexWidth = Math.max(1, bitWidth(count - 1));
    return { entries: entries.subarray(0, count), indices, indexWidth };
  }
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

/** Finds the text that a heap entry repeats. A hash table of text numbers with linear probing. */
class TextTable {
  readonly #heap: TextHeap;
  readonly #entries: Int32Array;
  readonly #slots: Int32Array;

  /**
   * `entries` is the caller's list of texts, which grows as it takes new ones. `slots` has a power
   * of two of zeros: number of the text + 1, 0 = free.
   */
  constructor(heap: TextHeap, entries: Int32Array, slots: Int32Array) {
    this.#heap = heap;
    this.#entries = entries;
    this.#slots = slots;
  }

  /**
   * The number of the entry's text; `newNumber` if there was none; -1 when too many texts collide.
   */
  find(entry: number, newNumber: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(this.#heap, entry) & mask;
    for (let probes = 0; probes < PROBES_MAX; probes++) {
      const number = this.#slots[slot] - 1;
      if (number < 0) {
        this.#slots[slot] = newNumber + 1;
        return newNumber;
      }
      if (areEqual(this.#heap, entry, this.#entries[number])) return number;
      slot = (slot + 1) & mask;
    }
    return -1;
  }
}

/** FNV-1a with its last bits stirred. */
function hashOf({ offsets, bytes }: TextHeap, entry: number): number {
  const end = offsets[entry + 1];
  let hash = 0x811c9dc5;
  for (let i = offsets[entry]; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash ^ (hash >>> 15);
}

function areEqual({ offsets, bytes }: TextHeap, a: number, b: number): boolean {
  const length = offsets[a + 1] - offsets[a];
  if (length !== offsets[b + 1] - offsets[b]) return false;
  for (let i = 0; i < length; i++) {
    if (bytes[offsets[a] + i] !== bytes[offsets[b] + i]) return false;
  }
  return true;
}
