// A client of Server-Sent Events over fetch, as plain as the format: it reads messages, and keeps
// the last id as a browser's EventSource would.

import type { HttpClient } from "./http-client.ts";

export interface SseEvent {
  readonly id: string | null;
  /** "message" where none is named; "" for what has no data, and is told to test ids alone. */
  readonly event: string;
  readonly data: string;
}

export class SseReader {
  /** null: none came so far. */
  lastEventId: string | null;
  readonly response: Response;
  readonly #controller: AbortController;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #utf8 = new TextDecoder();
  #text = "";
  commentCount = 0;

  /** Goes on behind `lastEventId`, if there is one. */
  static async open(
    client: HttpClient,
    path: string,
    lastEventId: string | null = null,
    headers: Record<string, string> = {},
  ): Promise<SseReader> {
    const controller = new AbortController();
    const sent = { ...headers, ...(lastEventId === null ? {} : { "last-event-id": lastEventId }) };
    const response = await client.fetch(path, { headers: sent, signal: controller.signal });
    return new SseReader(response, controller, lastEventId);
  }

  private constructor(response: Response, controller: AbortController, lastEventId: string | null) {
    this.response = response;
    this.#controller = controller;
    this.lastEventId = lastEventId;
    this.#chunks = response.body!.values()[Symbol.asyncIterator]();
  }

  /** The next message with data; null: the stream has ended. */
  async next(): Promise<SseEvent | null> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) {
        const { value, done } = await this.#chunks.next();
        if (done === true) return null;
        this.#text += this.#utf8.decode(value, { stream: true });
        continue;
      }
      const event = this.#take(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
      if (event !== null) return event;
    }
  }

  async take(count: number): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (event === null) throw new Error(`the stream ended after ${events.length} of ${count}`);
      events.push(event);
    }
    return events;
  }

  close(): void {
    this.#controller.abort();
  }

  #take(block: string): SseEvent | null {
    let event = "message";
    let data: string | null = null;
    for (const line of block.split("\n")) {
      const [field, ...rest] = line.split(": ");
      const value = rest.join(": ");
      if (field === "") this.commentCount += 1;
      if (field === "id") this.lastEventId = value;
      if (field === "event") event = value;
      if (field === "data") data = data === null ? value : `${data}\n${value}`;
    }
    return data === null ? null : { id: this.lastEventId, event, data };
  }
}
