// Byte strings one behind the other, with the offsets where each begins and ends.

import { type ErrorCode, SluiceError } from "#lib/base/errors.ts";
import { growBuffer, ROWS_INITIAL } from "./growth.ts";
import type { TextHeap } from "./types.ts";
import { isUtf8 } from "./utf8.ts";

const BYTES_INITIAL = 4096;
/** Offsets are 32-bit and signed, as in Arrow and in DuckDB. */
const BYTES_MAX = 2 ** 31 - 1;

export class TextHeapBuilder {
  /** For refusals. */
  readonly #columnName: string;
  entryCount = 0;
  /** Entry i is `bytes[offsets[i] .. offsets[i + 1])`. */
  offsets = new Int32Array(ROWS_INITIAL);
  bytes = new Uint8Array(BYTES_INITIAL);
  /** Of `bytes`. */
  view = new DataView(this.bytes.buffer);

  constructor(columnName: string) {
    this.#columnName = columnName;
  }

  /** Copies `source[start .. end)` to the end of the heap; returns the number of the new entry. */
  add(source: Uint8Array, sourceView: DataView, start: number, end: number): number {
    const entry = this.entryCount;
    if (entry + 2 > this.offsets.length) {
      this.offsets = new Int32Array(growBuffer(this.offsets.buffer, 4 * (entry + 2)));
    }
    let to = this.offsets[entry];
    const stop = to + end - start;
    if (stop > this.bytes.length) this.#grow(stop);
    const { bytes, view } = this;
    let from = start;
    let seen = 0;
    const lastWord = end - 4;
    if (lastWord < start) {
      for (; from < end; from++, to++) seen |= bytes[to] = source[from];
    } else {
      for (; from < lastWord; from += 4, to += 4) {
        const word = sourceView.getInt32(from, true);
        seen |= word;
        view.setInt32(to, word, true);
      }
      const word = sourceView.getInt32(lastWord, true);
      seen |= word;
      view.setInt32(stop - 4, word, true);
    }
    if ((seen & 0x80808080) !== 0 && !isUtf8(source, start, end)) {
      throw this.#refuse("text_invalid", "text is not valid UTF-8");
    }
    this.offsets[entry + 1] = stop;
    this.entryCount = entry + 1;
    return entry;
  }

  finish(isDistinct: boolean): TextHeap {
    const { entryCount, offsets, bytes } = this;
    return { entryCount, offsets, bytes, isDistinct };
  }

  #grow(byteLength: number): void {
    if (byteLength > BYTES_MAX) {
      throw this.#refuse("batch_too_large", "more than 2 GiB of text");
    }
    this.bytes = new Uint8Array(growBuffer(this.bytes.buffer, byteLength));
    this.view = new DataView(this.bytes.buffer);
  }

  #refuse(code: ErrorCode, reason: string): SluiceError {
    const column = this.#columnName;
    return new SluiceError(code, `column ${JSON.stringify(column)}: ${reason}`, { column });
  }
}
