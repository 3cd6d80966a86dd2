// The shell of a database's stream of events round lib/events/hub.ts and broadcast.ts, where the
// thinking is. One object per database, named `<databaseId>`.
//
// A listener is the body of a response that goes through the front door as it is. When the client
// hangs up, the runtime cancels that body at the next thing that is written to it, at the latest a
// heartbeat or two later.

import { DurableObject } from "cloudflare:workers";
import { Archive } from "#lib/archive/archive.ts";
import { asRefusal, isRefusal, orRefusal, orRefusalLater, type Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { SharedAlarm } from "#lib/base/shared-alarm.ts";
import type { DropReason, Listener } from "#lib/events/broadcast.ts";
import type { EventFilter } from "#lib/events/filter.ts";
import { EventHub, type HubPorts, type PostRequest } from "#lib/events/hub.ts";
import type { PostReceipt } from "#lib/events/stored-events.ts";
import { json } from "#lib/http/respond.ts";
import { SSE_HEADERS } from "#lib/http/sse.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import { Triggers } from "#lib/triggers/triggers.ts";
import type { Home, Trigger, TriggerFields } from "#lib/triggers/types.ts";
import { appendRows } from "#platform/append-batches.ts";
import { archivePorts } from "#platform/archive-ports.ts";
import { sleep, systemClock } from "#platform/clock.ts";
import { positiveInteger } from "#platform/config.ts";
import { alarm, sqlStore } from "#platform/durable-storage.ts";
import { createLog } from "#platform/log.ts";
import { goOnInObject, reportSoon } from "#platform/telemetry.ts";
import { triggerPorts } from "#platform/trigger-ports.ts";
import { countDropped, countPost, countStreamed, streamGauges } from "./event-stream-telemetry.ts";

export interface StreamStatus {
  readonly clients: number;
  readonly position: number;
  /** Since the object was started, as everything below. */
  readonly droppedSlow: number;
  readonly hungUp: number;
  readonly waitingPosts: number;
}

export interface ShownTrigger {
  readonly trigger: Trigger;
  /** The stream's. */
  readonly position: number;
}

export class EventStream extends DurableObject<IngestEnv> {
  readonly #hub: EventHub;
  readonly #triggers: Triggers;
  readonly #archive: Archive;
  readonly #alarm: SharedAlarm;
  #hungUp = 0;
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    const log = createLog("event-stream", env.LOG_LEVEL);
    const stream = ctx.id.name ?? ctx.id.toString();
    const store = sqlStore(ctx.storage);
    this.#alarm = new SharedAlarm(alarm(ctx.storage));
    this.#archive = new Archive(
      archivePorts("event-stream", store, this.#alarm.of("archive"), env),
    );
    this.#hub = new EventHub({
      store,
      clock: systemClock,
      append: appendTo(env),
      published: (events, position) => this.#triggers.onEvents(events, position),
      randomBytes: (byteLength) => crypto.getRandomValues(new Uint8Array(byteLength)),
      sleep,
      report: (failed, error) => log.error(failed, error, { stream }),
    });
    this.#triggers = new Triggers({
      ...triggerPorts(store, this.#archive, env),
      alarm: this.#alarm.of("triggers"),
      position: () => this.#hub.broadcast.position,
    });
  }

  async post(request: PostRequest): Promise<PostReceipt | Refusal> {
    const receipt = await countPost(request, () => orRefusalLater(() => this.#hub.post(request)));
    this.#reportSoon();
    return receipt;
  }

  async position(): Promise<number | Refusal> {
    return orRefusalLater(() => this.#hub.position());
  }

  async status(): Promise<StreamStatus> {
    const { listenerCount: clients, position, droppedSlow } = this.#hub.broadcast;
    const { waitingPosts } = this.#hub;
    return { clients, position, droppedSlow, hungUp: this.#hungUp, waitingPosts };
  }

  async gauges(): Promise<FamilyValues[]> {
    return streamGauges(this.#hub.broadcast.listenerCount);
  }

  async listTriggers(): Promise<{ triggers: Trigger[]; position: number }> {
    return { triggers: this.#triggers.list(), position: this.#hub.broadcast.position };
  }

  async findTrigger(triggerId: number): Promise<ShownTrigger | Refusal> {
    return this.#shown(() => this.#triggers.find(triggerId));
  }

  async createTrigger(
    home: Home,
    fields: TriggerFields,
    secret: string,
  ): Promise<ShownTrigger | Refusal> {
    return this.#told(this.#shown(() => this.#triggers.create(home, fields, secret)));
  }

  /** `secret` null: it stays. */
  async updateTrigger(
    home: Home,
    triggerId: number,
    change: Partial<TriggerFields>,
    secret: string | null,
  ): Promise<ShownTrigger | Refusal> {
    return this.#told(this.#shown(() => this.#triggers.update(home, triggerId, change, secret)));
  }

  async removeTrigger(home: Home, triggerId: number): Promise<Refusal | null> {
    return this.#told(asRefusal(() => this.#triggers.remove(home, triggerId)));
  }

  /** A poke from the sweep: what a lost alarm has left goes on. */
  async wake(): Promise<void> {
    this.#triggers.onAlarm();
    this.#archive.arm();
  }

  override async alarm(): Promise<void> {
    this.#alarm.noteRung();
    this.#triggers.onAlarm();
    await this.#archive.onAlarm();
    this.#reportSoon();
  }

  /**
   * The database is dropped: listeners are sent away, and nothing is remembered. Throws while the
   * archive has not heard of the triggers' changes: whoever drops the database asks again.
   */
  async erase(): Promise<void> {
    this.#hub.close();
    this.#triggers.stop();
    await this.#archive.deliver();
    this.#archive.demandEmpty();
    await this.ctx.storage.deleteAll();
  }

  /**
   * From the front door alone: `?after=&type=&tag=`. 200: the stream. 409: it no longer has all of
   * that, `{"position"}` is where it stands. 429: too many listen.
   */
  override async fetch({ url }: Request): Promise<Response> {
    const { searchParams } = new URL(url);
    const filter = { type: searchParams.get("type"), tags: searchParams.getAll("tag") };
    const after = searchParams.get("after");
    const position = await this.#hub.position();
    if (this.#hub.broadcast.listenerCount >= LIMITS.eventListenersMax) return json({}, 429);
    const body = this.#listen(filter, after === null ? null : Number(after));
    if (body === null) return json({ position }, 409);
    this.#heartbeat ??= setInterval(() => this.#beat(), this.#heartbeatMs);
    return new Response(body, { headers: SSE_HEADERS });
  }

  #listen(filter: EventFilter, after: number | null): ReadableStream<Uint8Array> | null {
    const { broadcast } = this.#hub;
    let listener: Listener | null = null;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const sink = {
          send: (bytes: Uint8Array, eventCount: number) => {
            controller.enqueue(bytes);
            countStreamed(eventCount);
          },
          end: (reason: DropReason) => {
            controller.close();
            countDropped(reason);
          },
        };
        listener = broadcast.attach(filter, after, sink);
      },
      pull: () => listener?.pull(),
      cancel: () => {
        if (listener !== null) broadcast.detach(listener);
        this.#hungUp += 1;
        countDropped("vanished");
      },
    });
    return listener === null ? null : body;
  }

  #beat(): void {
    this.#hub.broadcast.beat();
    this.#reportSoon();
    if (this.#hub.broadcast.listenerCount > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  #shown(work: () => Trigger): ShownTrigger | Refusal {
    return orRefusal(() => ({ trigger: work(), position: this.#hub.broadcast.position }));
  }

  /** After a change: its event is delivered before the answer, if that does not take long. */
  async #told<T>(result: T): Promise<T> {
    if (!isRefusal(result)) {
      await Promise.race([this.#archive.deliver(), sleep(LIMITS.archiveWaitMs)]);
    }
    return result;
  }

  #reportSoon(): void {
    reportSoon("front-door", this.env, goOnInObject);
  }

  get #heartbeatMs(): number {
    return positiveInteger("EVENT_HEARTBEAT_MS", this.env.EVENT_HEARTBEAT_MS);
  }
}

function appendTo(env: IngestEnv): HubPorts["append"] {
  return async (database, key, rows) => {
    // The key is the stream's own and never used for other rows.
    const requestId = key.replaceAll(" ", "-");
    const origin = { requestId, traceparent: null, idempotencyKey: key, bodySha256: key };
    const { rowCount } = await appendRows(database, rows, origin, env);
    return rowCount;
  };
}
