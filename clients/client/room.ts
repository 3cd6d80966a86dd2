// The client's memory, as a number of bytes that writes take and batches give back.
//
// Who comes when it is full waits in line. A write that is larger than all of it is let in alone:
// its rows are the caller's and in memory anyway.

import { SluiceRequestError } from "./errors.ts";

interface Waiting {
  readonly bytes: number;
  readonly enter: () => void;
}

export class Room {
  readonly #bytesMax: number;
  readonly #line: Waiting[] = [];
  #usedBytes = 0;
  #waitingBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get hasLine(): boolean {
    return this.#line.length > 0;
  }

  /**
   * null: taken at once. Throws `memory_full` when those who wait have as much as fits in: writers
   * who don't wait for their writes would fill the memory all the same.
   */
  take(bytes: number): Promise<void> | null {
    if (this.#line.length === 0 && this.#fits(bytes)) {
      this.#usedBytes += bytes;
      return null;
    }
    if (this.#waitingBytes >= this.#bytesMax) {
      throw new SluiceRequestError(
        `writes of ${this.#waitingBytes} bytes wait for memory: wait for a write to be taken ` +
          "before the next one",
        { code: "memory_full" },
      );
    }
    this.#waitingBytes += bytes;
    return new Promise((enter) => this.#line.push({ bytes, enter }));
  }

  /** Resolves when all who wait now have been let in. */
  async afterLine(): Promise<void> {
    if (this.#line.length > 0) {
      await new Promise<void>((enter) => this.#line.push({ bytes: 0, enter }));
    }
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    while (this.#line.length > 0 && this.#fits(this.#line[0]!.bytes)) {
      const { bytes: taken, enter } = this.#line.shift()!;
      this.#waitingBytes -= taken;
      this.#usedBytes += taken;
      enter();
    }
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#bytesMax;
  }
}
