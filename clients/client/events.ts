// Tagged events: posting them, asking for them page by page, summing them up, following them.

import { retrying } from "./back-off.ts";
import { newKey } from "./keys.ts";
import { parseExactJson } from "./exact-json.ts";
import { readText, request, requestJson } from "./http.ts";
import type { Connection } from "./http.ts";
import { serverEvents } from "./server-events.ts";

export interface NewTaggedEvent {
  readonly type?: string;
  /** One at least: `group`, and `group:name`. */
  readonly tags: readonly string[];
  /** Anything that JSON can say. */
  readonly value?: unknown;
  /** The server's time when missing. */
  readonly timestamp?: Date | string;
  /** Made by the server when missing. */
  readonly id?: string;
}

export interface TaggedEvent {
  readonly id: string;
  /** Its place in the stream. */
  readonly seq: number;
  readonly type: string;
  readonly tags: readonly string[];
  /** "" when the event has none. */
  readonly value: unknown;
  readonly timestamp: string;
}

/** A moment is a Date, RFC 3339, or date math: `now-1h/d`. */
export type Moment = Date | string;

export interface EventFilter {
  /** All of them. */
  readonly tags?: readonly string[];
  readonly type?: string;
  readonly timestamp?: Moment | { readonly [operator in "lt" | "lte" | "gt" | "gte"]?: Moment };
}

export interface EventPageRequest extends EventFilter {
  readonly order?: "desc" | "asc";
  readonly perPage?: number;
  /** Of the page before: the next one shows what follows, whatever was written meanwhile. */
  readonly cursor?: string;
}

export interface EventPage {
  readonly events: readonly TaggedEvent[];
  /** null: this is the last page. */
  readonly cursor: string | null;
}

export interface EventAggregation extends EventFilter {
  readonly aggregator: {
    readonly type: "average" | "min" | "max" | "sum" | "count" | "percentiles";
    /** A path into the value: `times.total`, or a JSON pointer. */
    readonly field?: string;
    readonly percentiles?: readonly number[];
    /** `5m`, `1h`, `1d`. */
    readonly interval?: string;
    /** `type`, `tag`, or `tag:<group>`. */
    readonly groupBy?: string;
  };
}

export type AggregateValue = number | null | Readonly<Record<string, number | null>>;

export interface AggregateRow {
  readonly timestamp?: string;
  readonly type?: string;
  readonly tag?: string;
  readonly value: AggregateValue;
}

export interface EventAggregate {
  /** Without interval and groups. */
  readonly value?: AggregateValue;
  readonly rows?: readonly AggregateRow[];
  readonly truncated?: boolean;
}

const PATH = "/api/v1/events";

export class EventsApi {
  readonly #connection: Connection;
  readonly #retryForMs: number;

  constructor(connection: Connection, retryForMs: number) {
    this.#connection = connection;
    this.#retryForMs = retryForMs;
  }

  /**
   * Resolves when the events are stored, with their places in the stream. Sent again under one key
   * until the server answers, so that they are stored once.
   */
  async post(events: NewTaggedEvent | readonly NewTaggedEvent[]): Promise<TaggedEvent[]> {
    const key = newKey();
    const stored = await retrying(this.#retryForMs, () =>
      requestJson<TaggedEvent | TaggedEvent[]>(this.#connection, PATH, {
        method: "POST",
        headers: { "idempotency-key": key },
        json: events,
      }),
    );
    return Array.isArray(stored) ? stored : [stored];
  }

  /** The newest first, 30 a page, if nothing else is asked for. */
  async find(filter: EventPageRequest = {}): Promise<EventPage> {
    const { perPage, order, cursor, ...wanted } = filter;
    const parameters = parametersOf(wanted);
    if (perPage !== undefined) parameters.set("per_page", String(perPage));
    if (order !== undefined) parameters.set("order", order);
    if (cursor !== undefined) parameters.set("cursor", cursor);
    const { response, text } = await this.#ask(parameters);
    return {
      events: parseExactJson<TaggedEvent[]>(text),
      cursor: response.headers.get("x-next-cursor"),
    };
  }

  /** Every event once, page after page, also while others are written. */
  async *all(filter: Omit<EventPageRequest, "cursor"> = {}): AsyncGenerator<TaggedEvent> {
    let page = await this.find({ perPage: 1_000, ...filter });
    yield* page.events;
    while (page.cursor !== null) {
      page = await this.find({ perPage: 1_000, ...filter, cursor: page.cursor });
      yield* page.events;
    }
  }

  async aggregate({ aggregator, ...filter }: EventAggregation): Promise<EventAggregate> {
    const { type, field, percentiles, interval, groupBy } = aggregator;
    const parameters = parametersOf(filter);
    parameters.set("aggregator", type);
    if (field !== undefined) parameters.set("field", field);
    if (percentiles !== undefined) parameters.set("percentiles", percentiles.join());
    if (interval !== undefined) parameters.set("interval", interval);
    if (groupBy !== undefined) parameters.set("group_by", groupBy);
    return parseExactJson<EventAggregate>((await this.#ask(parameters)).text);
  }

  /**
   * Events as they are stored, from now on or behind the place `after`. Goes on by itself after a
   * broken connection, without a gap; ends when the signal is aborted.
   */
  async *stream(filter: EventStreamRequest = {}): AsyncGenerator<TaggedEvent> {
    const { tags = [], type, after, signal } = filter;
    const parameters = parametersOf({ tags, ...(type === undefined ? {} : { type }) });
    const messages = serverEvents(this.#connection, `${PATH}/stream?${parameters}`, {
      signal,
      after: after === undefined ? undefined : String(after),
      retryForMs: this.#retryForMs,
    });
    for await (const { data } of messages) yield parseExactJson<TaggedEvent>(data);
  }

  #ask(parameters: URLSearchParams): Promise<{ response: Response; text: string }> {
    return retrying(RETRY_FOR_MS, async () => {
      const response = await request(this.#connection, `${PATH}?${parameters}`);
      return { response, text: await readText(response) };
    });
  }
}

const RETRY_FOR_MS = 10_000;

export interface EventStreamRequest {
  readonly tags?: readonly string[];
  readonly type?: string;
  /** `seq` of an event: those behind it come. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

function parametersOf({ tags = [], type, timestamp }: EventFilter): URLSearchParams {
  const parameters = new URLSearchParams(tags.map((tag) => ["tag", tag]));
  if (type !== undefined) parameters.set("type", type);
  if (timestamp === undefined) return parameters;
  if (typeof timestamp === "string" || timestamp instanceof Date) {
    parameters.set("timestamp", momentText(timestamp));
    return parameters;
  }
  for (const [operator, moment] of Object.entries(timestamp)) {
    parameters.set(operator, momentText(moment));
  }
  return parameters;
}

function momentText(moment: Moment): string {
  return moment instanceof Date ? moment.toISOString() : moment;
}
