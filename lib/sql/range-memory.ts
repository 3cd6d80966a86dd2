// Small ranges of immutable files, kept in the isolate from query to query: footers above all.
//
// Bounded by bytes; what was not used for the longest time goes first. An isolate has 128 MB for
// everything, so this is a few of them.

import { LIMITS } from "#lib/base/limits.ts";

export class RangeMemory {
  /** The longest unused first. */
  readonly #ranges = new Map<string, Uint8Array>();
  #byteLength = 0;

  find(name: string): Uint8Array | null {
    const bytes = this.#ranges.get(name);
    if (bytes === undefined) return null;
    this.#ranges.delete(name);
    this.#ranges.set(name, bytes);
    return bytes;
  }

  keep(name: string, bytes: Uint8Array): void {
    if (bytes.byteLength > LIMITS.rangeInMemoryBytesMax || this.#ranges.has(name)) return;
    this.#ranges.set(name, bytes);
    this.#byteLength += bytes.byteLength;
    for (const [oldest, { byteLength }] of this.#ranges) {
      if (this.#byteLength <= LIMITS.rangeMemoryBytesMax) break;
      this.#ranges.delete(oldest);
      this.#byteLength -= byteLength;
    }
  }

  get byteLength(): number {
    return this.#byteLength;
  }
}
