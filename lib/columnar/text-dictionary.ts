// Finds a text among the entries of a heap by its bytes; no string is made.
//
// Open addressing with linear probing. The hash has no secret (the same rows must give the same
// file), so a hostile client can make texts collide: a search is cut off after PROBES_MAX steps,
// and then the whole dictionary is given up, which costs compression but no time.

import { growBuffer, ROWS_INITIAL } from "./growth.ts";
import type { TextHeapBuilder } from "./text-heap-builder.ts";
import type { TextSlices } from "./utf8.ts";

const PROBES_MAX = 128;
/** Fewer are no evidence: the first scrape of so many hosts looks as if nothing ever repeated. */
const ENTRIES_MIN = 32_768;
/** A dictionary pays while texts come this many times each, on average. */
const ROWS_PER_ENTRY_MIN = 2;

export class TextDictionary {
  readonly #heap: TextHeapBuilder;
  /** Per entry of the heap. */
  #hashes = new Int32Array(ROWS_INITIAL);
  /** 0 = free, else the number of an entry plus 1. A power of two, at most half of it in use. */
  #slots = new Int32Array(4 * ROWS_INITIAL);
  /** True once it does not pay; it must not be asked again then. */
  isGivenUp = false;

  constructor(heap: TextHeapBuilder) {
    this.#heap = heap;
  }

  /**
   * Writes the codes of the first `count` slices to `codes[base ..]`, adding to the heap what is
   * new; leaves those of NULLs. Returns how many it did before it gave up, or `count`.
   */
  intern(
    bytes: Uint8Array,
    view: DataView,
    { starts, ends }: TextSlices,
    count: number,
    codes: Int32Array,
    base: number,
  ): number {
    const heap = this.#heap;
    let hashes = this.#hashes;
    let slots = this.#slots;
    for (let at = 0; at < count; at++) {
      const start = starts[at];
      const end = ends[at];
      if (end < 0) continue;
      const hash = hashOf(bytes, view, start, end);
      const mask = slots.length - 1;
      let slot = hash & mask;
      let entry = slots[slot] - 1;
      for (let probes = 1; entry >= 0; probes++) {
        if (hashes[entry] === hash && isEntry(heap, entry, bytes, view, start, end)) break;
        if (probes === PROBES_MAX) {
          this.isGivenUp = true;
          return at;
        }
        slot = (slot + 1) & mask;
        entry = slots[slot] - 1;
      }
      if (entry < 0) {
        entry = heap.add(bytes, view, start, end);
        slots[slot] = entry + 1;
        hashes[entry] = hash;
        codes[base + at] = entry;
        if (entry + 1 === hashes.length) {
          this.#growOrGiveUp(base + at + 1);
          if (this.isGivenUp) return at + 1;
          hashes = this.#hashes;
          slots = this.#slots;
        }
      } else {
        codes[base + at] = entry;
      }
    }
    return count;
  }

  #growOrGiveUp(rowCount: number): void {
    const { entryCount } = this.#heap;
    this.isGivenUp = entryCount >= ENTRIES_MIN && entryCount * ROWS_PER_ENTRY_MIN > rowCount;
    if (this.isGivenUp) return;
    this.#hashes = new Int32Array(growBuffer(this.#hashes.buffer, 0));
    const slots = new Int32Array(4 * this.#hashes.length);
    const mask = slots.length - 1;
    for (let entry = 0; entry < entryCount; entry++) {
      let slot = this.#hashes[entry] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry + 1;
    }
    this.#slots = slots;
  }
}

/** Multiply and fold, four bytes a step, the last four overlapping. */
function hashOf(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let hash = end - start;
  let position = start;
  const lastWord = end - 4;
  if (lastWord < start) {
    for (; position < end; position++) hash = Math.imul(hash ^ bytes[position], 0x9e3779b1);
  } else {
    for (; position < lastWord; position += 4) {
      hash = Math.imul(hash ^ view.getInt32(position, true), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ view.getInt32(lastWord, true), 0x9e3779b1);
  }
  return hash ^ (hash >>> 15);
}

function isEntry(
  heap: TextHeapBuilder,
  entry: number,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): boolean {
  const { offsets } = heap;
  const entryStart = offsets[entry];
  if (offsets[entry + 1] - entryStart !== end - start) return false;
  const shift = entryStart - start;
  let position = start;
  const lastWord = end - 4;
  if (lastWord < start) {
    for (; position < end; position++) {
      if (bytes[position] !== heap.bytes[position + shift]) return false;
    }
    return true;
  }
  const heapView = heap.view;
  for (; position < lastWord; position += 4) {
    if (view.getInt32(position, true) !== heapView.getInt32(position + shift, true)) return false;
  }
  return view.getInt32(lastWord, true) === heapView.getInt32(lastWord + shift, true);
}
