// The texts of one column of several sources, each once in a new heap.
//
// A file's dictionary knows its own texts only, and small files hardly see a text twice; in one row
// group of many of them it pays to look again. It is given up where it does not.

import { TextDictionary } from "#lib/columnar/text-dictionary.ts";
import { TextHeapBuilder } from "#lib/columnar/text-heap-builder.ts";
import type { Utf8Column } from "#lib/columnar/types.ts";
import { newTextSlices } from "#lib/columnar/utf8.ts";

/** Rows that are done in one go: their places stay in the processor's first cache. */
const STEP_ROWS = 1024;
const NOT_SEEN = 0;
const PENDING = -1;

interface TextSource {
  readonly column: Utf8Column;
  readonly view: DataView;
  /** Per entry of the source's heap: its number in the new one + 1, or NOT_SEEN, or PENDING. */
  readonly entries: Int32Array;
}

export class MergedTexts {
  readonly #sources: (TextSource | null)[];
  readonly #heap: TextHeapBuilder;
  #dictionary: TextDictionary | null;
  readonly #codes: Int32Array;
  #rowCount = 0;
  /** Texts of one step that are new to their source's `entries`. */
  readonly #slices = newTextSlices(STEP_ROWS);
  readonly #pending = new Int32Array(STEP_ROWS);

  /** `repeats`: whether it is worth looking for repeated texts at all. */
  constructor(
    name: string,
    parts: readonly (Utf8Column | null)[],
    rowCount: number,
    repeats: boolean,
  ) {
    this.#sources = parts.map((column) => column && textSource(column));
    this.#heap = new TextHeapBuilder(name);
    this.#dictionary = repeats ? new TextDictionary(this.#heap) : null;
    this.#codes = new Int32Array(rowCount);
  }

  /** Rows `[from, to)` of a source; NULLs where it lacks the column. */
  append(source: number, from: number, to: number): void {
    const texts = this.#sources[source];
    if (texts !== null) {
      for (let at = from; at < to; at += STEP_ROWS) {
        this.#appendStep(texts, at, Math.min(to, at + STEP_ROWS));
      }
    } else {
      this.#rowCount += to - from;
    }
  }

  finish(): Pick<Utf8Column, "codes" | "heap"> {
    return { codes: this.#codes, heap: this.#heap.finish(this.#dictionary !== null) };
  }

  #appendStep(texts: TextSource, from: number, to: number): void {
    const { column, entries } = texts;
    const newCount = this.#collectNew(texts, from, to);
    if (newCount > 0) this.#addNew(texts, newCount);
    const codes = this.#codes;
    const { validity } = column;
    let at = this.#rowCount;
    for (let row = from; row < to; row++, at++) {
      if (validity === null || validity[row] === 1) codes[at] = entries[column.codes[row]] - 1;
    }
    this.#rowCount = at;
  }

  #collectNew({ column, entries }: TextSource, from: number, to: number): number {
    const { codes, validity, heap } = column;
    const { starts, ends } = this.#slices;
    let count = 0;
    for (let row = from; row < to; row++) {
      if (validity !== null && validity[row] === 0) continue;
      const code = codes[row];
      if (entries[code] !== NOT_SEEN) continue;
      entries[code] = PENDING;
      starts[count] = heap.offsets[code];
      ends[count] = heap.offsets[code + 1];
      this.#pending[count++] = code;
    }
    return count;
  }

  /** The codes of the step, which are not written yet, serve as room for the new entries. */
  #addNew({ column, view, entries }: TextSource, count: number): void {
    const { bytes } = column.heap;
    const { starts, ends } = this.#slices;
    const codes = this.#codes;
    const base = this.#rowCount;
    let at = 0;
    if (this.#dictionary !== null) {
      at = this.#dictionary.intern(bytes, view, this.#slices, count, codes, base);
      if (this.#dictionary.isGivenUp) this.#dictionary = null;
    }
    for (; at < count; at++) codes[base + at] = this.#heap.add(bytes, view, starts[at], ends[at]);
    for (let i = 0; i < count; i++) entries[this.#pending[i]] = codes[base + i] + 1;
  }
}

function textSource(column: Utf8Column): TextSource {
  const { bytes, entryCount } = column.heap;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { column, view, entries: new Int32Array(entryCount) };
}
