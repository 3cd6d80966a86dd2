// Server-sent events over fetch, which, other than EventSource, sends a token in a header and is
// there in Node and in Workers. https://html.spec.whatwg.org/multipage/server-sent-events.html
//
// A connection that breaks, or says nothing for several heartbeats, is made anew from the last id
// that was seen. The server goes on behind it, so nothing is missed and nothing comes twice.

import { backOffMs, sleep } from "./back-off.ts";
import { SluiceRequestError } from "./errors.ts";
import { isTransient, request } from "./http.ts";
import type { Connection } from "./http.ts";
import { readLines } from "./lines.ts";

export interface ServerEvent {
  readonly type: string;
  readonly data: string;
}

/** As it comes. Without data it is no event, but its id counts. */
export interface ServerMessage {
  /** Of this message or the last one before it that had one; null before the first. */
  readonly id: string | null;
  readonly type: string;
  readonly data: string | null;
}

export interface StreamOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** The id of the event to go on behind. */
  readonly after?: string | undefined;
  /** How long connections may go on failing. */
  readonly retryForMs: number;
  readonly silenceMsMax?: number;
}

/** Three heartbeats of the server's. */
const SILENCE_MS_MAX = 45_000;

/** Rejects when the server refuses for good, or cannot be reached for `retryForMs`. */
export async function* serverEvents(
  connection: Connection,
  path: string,
  { signal, after, retryForMs, silenceMsMax = SILENCE_MS_MAX }: StreamOptions,
): AsyncGenerator<ServerEvent> {
  let lastId = after ?? null;
  let failedSinceMs: number | null = null;
  for (let attempt = 0; !isAborted(signal); attempt++) {
    let problem: SluiceRequestError;
    const silence = new Silence(silenceMsMax, signal);
    try {
      const response = await request(connection, path, {
        signal: silence.signal,
        headers: {
          accept: "text/event-stream",
          ...(lastId === null ? {} : { "last-event-id": lastId }),
        },
      });
      const lines = readLines(response.body!, () => silence.broken());
      for await (const { id, type, data } of parseMessages(lines)) {
        attempt = 0;
        failedSinceMs = null;
        lastId = id ?? lastId;
        if (data !== null) yield { type, data };
      }
      problem = brokenOff(null);
    } catch (error) {
      if (isAborted(signal)) return;
      problem = error instanceof SluiceRequestError ? error : brokenOff(error);
      if (!isTransient(problem)) throw problem;
    } finally {
      silence.end();
    }
    failedSinceMs ??= Date.now();
    if (Date.now() - failedSinceMs > retryForMs) throw problem;
    await sleep(backOffMs(attempt, problem.retryAfterMs), signal);
  }
}

/** Comments, which heartbeats are, are passed over. */
export async function* parseMessages(lines: AsyncIterable<string>): AsyncGenerator<ServerMessage> {
  let id: string | null = null;
  let type = "";
  let data: string[] = [];
  for await (const line of lines) {
    if (line === "") {
      const text = data.length === 0 ? null : data.join("\n");
      yield { id, type: type === "" ? "message" : type, data: text };
      type = "";
      data = [];
      continue;
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
    if (field === "data") data.push(value ?? "");
    else if (field === "event") type = value ?? "";
    else if (field === "id" && value?.includes("\0") !== true) id = value ?? "";
  }
}

/** Aborts its signal when nobody has broken it for so long. */
class Silence {
  readonly #controller = new AbortController();
  readonly #msMax: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly signal: AbortSignal;

  constructor(msMax: number, outer: AbortSignal | undefined) {
    this.#msMax = msMax;
    const own = this.#controller.signal;
    this.signal = outer === undefined ? own : AbortSignal.any([own, outer]);
    this.broken();
  }

  broken(): void {
    clearTimeout(this.#timer);
    const say = () => this.#controller.abort(new Error(`nothing came for ${this.#msMax} ms`));
    this.#timer = setTimeout(say, this.#msMax);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function brokenOff(cause: unknown): SluiceRequestError {
  const reason = cause instanceof Error ? cause.message : "the server ended it";
  return new SluiceRequestError(`the stream broke off: ${reason}`, { code: "unanswered", cause });
}
