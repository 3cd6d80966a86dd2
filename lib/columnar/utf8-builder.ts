// A text column that grows batch by batch: codes into a heap of byte strings.
//
// Texts of telemetry repeat, so each is looked up among those already in the heap, as bytes. That
// is given up for the rest of the column's life once it does not pay; from then on each text gets
// an entry of its own, and the heap is no dictionary any more (`isDistinct` is false).

import { growBuffer, ROWS_INITIAL } from "./growth.ts";
import { TextDictionary } from "./text-dictionary.ts";
import { TextHeapBuilder } from "./text-heap-builder.ts";
import type { Utf8Column } from "./types.ts";
import { newTextSlices, type TextSlices } from "./utf8.ts";
import { Validity } from "./validity.ts";

const UTF8 = new TextEncoder();

export class Utf8Builder {
  readonly name: string;
  readonly type = "utf8";
  readonly validity = new Validity();
  rowCount = 0;
  #codes: Int32Array<ArrayBuffer>;
  readonly #heap: TextHeapBuilder;
  #dictionary: TextDictionary | null;
  /** Of appendText; begins at 0. */
  readonly #slice = newTextSlices(1);

  /** `repeats`: whether it is worth looking for repeated texts at all. */
  constructor(name: string, rowCapacity = ROWS_INITIAL, repeats = true) {
    this.name = name;
    this.#codes = new Int32Array(rowCapacity);
    this.#heap = new TextHeapBuilder(name);
    this.#dictionary = repeats ? new TextDictionary(this.#heap) : null;
  }

  reserve(count: number): void {
    const byteLength = 4 * (this.rowCount + count);
    if (byteLength <= this.#codes.byteLength) return;
    this.#codes = new Int32Array(growBuffer(this.#codes.buffer, byteLength));
  }

  /**
   * Appends the first `count` slices of `bytes`, which `view` shows too; nothing of them is kept.
   * Refuses (`text_invalid`) what is not UTF-8.
   */
  appendSlices(bytes: Uint8Array, view: DataView, slices: TextSlices, count: number): void {
    this.reserve(count);
    const base = this.rowCount;
    const { starts, ends } = slices;
    for (let at = 0; at < count; at++) {
      if (ends[at] < 0) this.validity.markNull(base + at);
    }
    let at = 0;
    if (this.#dictionary !== null) {
      at = this.#dictionary.intern(bytes, view, slices, count, this.#codes, base);
      if (this.#dictionary.isGivenUp) this.#dictionary = null;
    }
    for (; at < count; at++) {
      if (ends[at] < 0) continue;
      this.#codes[base + at] = this.#heap.add(bytes, view, starts[at], ends[at]);
    }
    this.rowCount += count;
  }

  appendText(text: string): void {
    const bytes = UTF8.encode(text);
    this.#slice.ends[0] = bytes.length;
    this.appendSlices(bytes, new DataView(bytes.buffer, bytes.byteOffset), this.#slice, 1);
  }

  finish(): Utf8Column {
    const { name, type, rowCount } = this;
    const heap = this.#heap.finish(this.#dictionary !== null);
    const validity = this.validity.finish(rowCount);
    return { name, type, rowCount, validity, codes: this.#codes, heap };
  }
}
