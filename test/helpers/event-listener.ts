// A client of an event stream on a connection of its own, which can be cut, paused and resumed.

import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { ADMIN_TOKEN } from "./stack.ts";

export interface StreamedEvent {
  readonly id: string;
  readonly seq: number;
  readonly type: string;
  readonly tags: string[];
  readonly value: unknown;
  readonly timestamp: string;
}

interface ListenerOptions {
  readonly lastEventId?: string;
  readonly body?: string;
  readonly token?: string;
}

export class EventListener {
  /** What a client sends as Last-Event-ID when it comes back. */
  lastEventId = "";
  heartbeats = 0;
  eventCount = 0;
  /** Resolves with the status once the answer begins. */
  readonly opened: Promise<number>;
  /** Resolves when the connection has ended, however. */
  readonly ended: Promise<void>;
  readonly #request: ClientRequest;
  #response: IncomingMessage | undefined;
  readonly #onEvent: (event: StreamedEvent) => void;
  #rest = "";

  constructor(
    url: string,
    onEvent: (event: StreamedEvent) => void,
    { lastEventId = "", body = "", token = ADMIN_TOKEN }: ListenerOptions = {},
  ) {
    this.#onEvent = onEvent;
    const opened = Promise.withResolvers<number>();
    const ended = Promise.withResolvers<void>();
    this.opened = opened.promise;
    this.ended = ended.promise;
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (lastEventId !== "") headers["last-event-id"] = lastEventId;
    if (body !== "") headers["content-length"] = `${Buffer.byteLength(body)}`;
    this.#request = request(url, { headers, agent: false });
    this.#request.on("error", () => {
      opened.resolve(0);
      ended.resolve();
    });
    this.#request.on("response", (response) => {
      this.#response = response;
      response.setEncoding("utf8");
      response.on("data", (text: string) => this.#read(text));
      response.on("error", () => {});
      response.on("close", () => ended.resolve());
      opened.resolve(response.statusCode!);
    });
    this.#request.end(body);
  }

  /** Without a word. */
  cut(): void {
    this.#request.destroy();
  }

  /** As a process that is stopped: it reads nothing, and its connection stays. */
  pause(): void {
    this.#response!.pause();
  }

  resume(): void {
    this.#response!.resume();
  }

  #read(text: string): void {
    const messages = (this.#rest + text).split("\n\n");
    this.#rest = messages.pop()!;
    for (const message of messages) this.#readMessage(message.split("\n"));
  }

  #readMessage(lines: readonly string[]): void {
    const field = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const id = field("id");
    if (id !== undefined) this.lastEventId = id;
    if (lines.some((line) => line.startsWith(":"))) this.heartbeats += 1;
    const data = field("data");
    if (data === undefined) return;
    this.eventCount += 1;
    this.#onEvent(JSON.parse(data) as StreamedEvent);
  }
}
