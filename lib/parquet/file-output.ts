// The file as it comes into being: what is appended, and where in the file that is.

import { ByteWriter } from "./byte-writer.ts";

/** A stretch of the file. */
export interface FileRange {
  readonly offset: number;
  readonly byteLength: number;
}

export class FileOutput {
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #unsent = new ByteWriter(64 * 1024);
  #sentByteLength = 0;

  constructor(sink: (bytes: Uint8Array) => void) {
    this.#sink = sink;
  }

  /** Of the next byte. */
  get offset(): number {
    return this.#sentByteLength + this.#unsent.length;
  }

  append(bytes: Uint8Array): FileRange {
    const range = { offset: this.offset, byteLength: bytes.length };
    this.#unsent.append(bytes);
    return range;
  }

  /** Hands everything so far to the sink, as a copy that the sink may keep. */
  send(): void {
    this.#sink(this.#unsent.written().slice());
    this.#sentByteLength += this.#unsent.length;
    this.#unsent.clear();
  }
}
