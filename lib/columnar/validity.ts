// Which rows are NULL. Nothing is allocated until the first one is.

import { ROWS_INITIAL } from "./growth.ts";

export class Validity {
  #flags: Uint8Array | null = null;

  markNull(row: number): void {
    this.markNulls(row, row + 1);
  }

  markNulls(start: number, end: number): void {
    this.#reserve(end).fill(0, start, end);
  }

  /** One byte per row, 1 = a value, 0 = NULL; null when no row is NULL. */
  finish(rowCount: number): Uint8Array | null {
    return this.#flags === null ? null : this.#reserve(rowCount);
  }

  #reserve(rowCount: number): Uint8Array {
    const flags = this.#flags;
    if (flags !== null && rowCount <= flags.length) return flags;
    const grown = new Uint8Array(Math.max(rowCount, 2 * (flags?.length ?? ROWS_INITIAL))).fill(1);
    if (flags !== null) grown.set(flags);
    this.#flags = grown;
    return grown;
  }
}
