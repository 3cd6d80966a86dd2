// A file as the engine reads it: whatever it asks for, its source is asked for whole pages.
//
// The engine could keep pages by itself, but it never lets go of one while a query runs, and the
// files of a query are larger than its memory. Without that it reads headers byte by byte; the page
// kept here is there for those.

import { ENGINE_PAGE_BYTES, type FileSource } from "#lib/sql/engine.ts";

/** Takes bytes that belong `at` bytes behind the beginning of what was asked for. */
export type Store = (bytes: Uint8Array, at: number) => void;

export class PagedFile {
  readonly byteLength: number;
  readonly #source: FileSource;
  #page: Uint8Array = new Uint8Array(0);
  #pageStart = 0;

  constructor(source: FileSource) {
    this.#source = source;
    this.byteLength = source.byteLength;
  }

  /** Stores bytes `[start, end)`. A promise: some of them must be waited for. */
  read(start: number, end: number, store: Store): Promise<void> | null {
    let at = start;
    while (at < end) {
      const page = this.#pageAt(at);
      if (!(page instanceof Uint8Array)) return this.#readOn(page, start, at, end, store);
      at += this.#take(page, start, at, end, store);
    }
    return null;
  }

  async #readOn(
    first: Promise<Uint8Array>,
    start: number,
    from: number,
    end: number,
    store: Store,
  ): Promise<void> {
    let page: Uint8Array | Promise<Uint8Array> = first;
    for (let at = from; at < end; page = this.#pageAt(at)) {
      at += this.#take(await page, start, at, end, store);
    }
  }

  /** Stores what the page around `at` has of the bytes before `end`; returns how many. */
  #take(page: Uint8Array, start: number, at: number, end: number, store: Store): number {
    const pageStart = at - (at % ENGINE_PAGE_BYTES);
    this.#page = page;
    this.#pageStart = pageStart;
    const part = page.subarray(at - pageStart, end - pageStart);
    store(part, at - start);
    return part.byteLength;
  }

  #pageAt(offset: number): Uint8Array | Promise<Uint8Array> {
    const start = offset - (offset % ENGINE_PAGE_BYTES);
    if (this.#pageStart === start && this.#page.byteLength > 0) return this.#page;
    return this.#source.read(start, Math.min(ENGINE_PAGE_BYTES, this.byteLength - start));
  }
}
