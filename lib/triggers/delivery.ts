// Delivering the events that a trigger is about: each at least once, in the order of the stream.
//
// A trigger has a durable cursor into the stream. What comes after it is looked through; what is
// wanted goes to the URL in batches, one request at a time, and the cursor moves when the receiver
// has said yes. What a batch consists of is noted before it is first sent: so it is the same, under
// the same id, at every attempt, also after a crash, and a receiver that remembers ids gets each
// event once. An event that is not wanted only moves the cursor, which is written now and then.
//
// A receiver that fails is asked again later and later (lib/webhooks/retry-plan.ts); one that has
// failed for a day, or says that it wants no more, has its trigger disabled.

import type { Archive } from "#lib/archive/archive.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Alarm, Clock, SqlStore } from "#lib/base/ports.ts";
import { isWanted } from "#lib/events/filter.ts";
import { eventJson, eventTime, type StoredEvent } from "#lib/events/types.ts";
import type { WebhookOutcome } from "#lib/webhooks/answers.ts";
import { isGivenUp, retryDelayMs } from "#lib/webhooks/retry-plan.ts";
import type { Webhook } from "#lib/webhooks/sign.ts";
import { archivedTrigger, disabledTags, triggerChange } from "./artifacts.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { TriggerTables } from "./trigger-tables.ts";
import type { EventPage, Home, Trigger, TriggerBatch } from "./types.ts";

export interface DeliveryPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly archive: Pick<Archive, "record" | "note" | "noteEvent" | "deliver">;
  newId(): string;
  /** From 0 up to, not including, 1. */
  random(): number;
  /** Of the stream: every event up to there can be read, or never will be. */
  position(): number;
  /** Some of those after `afterSeq` and not after `toSeq`, in their order. */
  readEvents(home: Home, afterSeq: number, toSeq: number): Promise<EventPage>;
  send(url: string, webhook: Webhook, secret: string): Promise<WebhookOutcome>;
  report(event: TriggerEvent): void;
}

export type TriggerEvent =
  | { readonly event: "trigger_failed"; readonly error: unknown }
  | { readonly event: "trigger_disabled"; readonly triggerId: number; readonly reason: string };

/** A stretch of the stream that is to be looked through now. */
interface Stretch {
  readonly trigger: Trigger;
  readonly home: Home;
  /** Begun earlier, and not delivered yet; null: none. */
  readonly batch: TriggerBatch | null;
  readonly afterSeq: number;
  readonly toSeq: number;
}

/** A cursor that only passes events that are not wanted is written this often. */
const CURSOR_STEP = 1_000;
/** A delivery that ended without a word, as with its isolate, is taken up again after this. */
const RESUME_MS = 30_000;
/** Wait after events could not be read. */
const READ_RETRY_MS = 5_000;

export class Delivery {
  readonly #ports: DeliveryPorts;
  readonly #tables: TriggerTables;
  readonly #recent: RecentEvents;
  readonly #running = new Set<number>();
  /** Of triggers whose cursor was not written at its last move. */
  readonly #cursors = new Map<number, number>();
  #isStopped = false;

  constructor(ports: DeliveryPorts, tables: TriggerTables, recent: RecentEvents) {
    this.#ports = ports;
    this.#tables = tables;
    this.#recent = recent;
  }

  /** Goes on with the trigger, if there is something to do. Returns at once. */
  wake(triggerId: number): void {
    if (this.#running.has(triggerId) || this.#next(triggerId) === null) return;
    this.#running.add(triggerId);
    void this.#run(triggerId);
  }

  /** When the trigger has to be looked at again; null: when there is an event. */
  nextMs(trigger: Trigger): number | null {
    const nowMs = this.#ports.clock.nowMs();
    if (this.#running.has(trigger.triggerId)) return nowMs + RESUME_MS;
    if (!trigger.isEnabled || this.cursorOf(trigger) >= this.#ports.position()) return null;
    return Math.max(trigger.nextAttemptMs ?? 0, nowMs);
  }

  cursorOf({ triggerId, cursorSeq }: Trigger): number {
    return Math.max(cursorSeq, this.#cursors.get(triggerId) ?? 0);
  }

  /** For good: the tables are about to go. What is being sent is of no concern any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Never throws. */
  async #run(triggerId: number): Promise<void> {
    this.arm();
    try {
      for (let next = this.#next(triggerId); next !== null; next = this.#next(triggerId)) {
        await this.#deal(next);
      }
    } catch (error) {
      this.#ports.report({ event: "trigger_failed", error });
      if (this.#isStopped) return;
      const nextMs = this.#ports.clock.nowMs() + READ_RETRY_MS;
      this.#tables.noteTrouble(triggerId, nextMs, `events could not be read: ${String(error)}`);
    } finally {
      // Not a step later than the last look: who wakes it from now on finds it at rest.
      this.#running.delete(triggerId);
      this.arm();
    }
  }

  /** Sets the alarm to the first time that a trigger needs. */
  arm(): void {
    if (this.#isStopped) return;
    const times = this.#tables.triggers().map((trigger) => this.nextMs(trigger));
    const next = Math.min(...times.filter((ms) => ms !== null));
    if (next !== Infinity) this.#ports.alarm.setMs(next);
  }

  /** null: there is nothing to do for the trigger now. */
  #next(triggerId: number): Stretch | null {
    if (this.#isStopped) return null;
    const trigger = this.#tables.trigger(triggerId);
    const home = this.#tables.home();
    if (trigger === null || home === null || !trigger.isEnabled) return null;
    if ((trigger.nextAttemptMs ?? 0) > this.#ports.clock.nowMs()) return null;
    const batch = this.#tables.batch(triggerId);
    const afterSeq = batch === null ? this.cursorOf(trigger) : trigger.cursorSeq;
    const toSeq = batch?.endSeq ?? this.#ports.position();
    return afterSeq < toSeq ? { trigger, home, batch, afterSeq, toSeq } : null;
  }

  async #deal(stretch: Stretch): Promise<void> {
    const { trigger, home, afterSeq, toSeq } = stretch;
    const page =
      this.#recent.between(afterSeq, toSeq) ??
      (await this.#ports.readEvents(home, afterSeq, toSeq));
    if (this.#isStopped) return;
    const wanted = page.events.filter((event) => isWanted(trigger, event));
    const sent = firstOf(wanted);
    if (sent.length === 0) return this.#pass(stretch, page.upTo);
    const endSeq = sent.length < wanted.length ? sent.at(-1)!.seq : page.upTo;
    const batch = await this.#begin(stretch, endSeq);
    if (batch !== null) await this.#send(stretch, batch, sent);
  }

  #pass({ trigger: { triggerId, cursorSeq }, batch }: Stretch, seq: number): void {
    this.#cursors.set(triggerId, seq);
    if (batch === null && seq - cursorSeq < CURSOR_STEP) return;
    this.#tables.moveCursor(triggerId, seq);
  }

  /** The batch as it is noted; null: the trigger was changed while its events were read. */
  async #begin(
    { trigger, batch, afterSeq }: Stretch,
    endSeq: number,
  ): Promise<TriggerBatch | null> {
    const { triggerId, updatedMs } = trigger;
    const now = this.#tables.trigger(triggerId);
    if (now === null || now.updatedMs !== updatedMs || !now.isEnabled) return null;
    if (batch !== null && batch.endSeq === endSeq) return batch;
    const begun = { batchId: `msg_${this.#ports.newId()}`, endSeq };
    this.#tables.beginBatch(triggerId, afterSeq, begun);
    await this.#ports.store.sync();
    return begun;
  }

  async #send(
    { trigger, home }: Stretch,
    { batchId }: TriggerBatch,
    events: readonly StoredEvent[],
  ): Promise<void> {
    const { triggerId, url } = trigger;
    const webhook = { webhookId: batchId, body: bodyOf(trigger, home, events) };
    const outcome = await this.#ports.send(url, webhook, this.#tables.secretOf(triggerId));
    if (this.#isStopped) return;
    // Changed or removed meanwhile: what the request came to is not about the trigger as it is.
    if (this.#tables.batch(triggerId)?.batchId !== batchId) return;
    const nowMs = this.#ports.clock.nowMs();
    switch (outcome.kind) {
      case "delivered":
        return this.#tables.noteDelivered(triggerId, events.length, outcome.status, nowMs);
      case "gone":
        return this.#disable(triggerId, home, "the receiver answered 410: it wants no more", 410);
      case "failed":
        return this.#fail(triggerId, home, outcome);
    }
  }

  #fail(triggerId: number, home: Home, outcome: WebhookOutcome & { kind: "failed" }): void {
    const { status, reason, retryAfterMs } = outcome;
    const { failureCount, failingSinceMs } = this.#tables.trigger(triggerId)!;
    const nowMs = this.#ports.clock.nowMs();
    const failures = { count: failureCount + 1, sinceMs: failingSinceMs ?? nowMs };
    if (isGivenUp(failures, nowMs)) {
      const since = new Date(failures.sinceMs).toISOString();
      const why = `all ${failures.count} requests since ${since} have failed; the last: ${reason}`;
      return this.#disable(triggerId, home, why, status);
    }
    const delayMs = retryDelayMs(failures.count, retryAfterMs, this.#ports.random());
    const failure = { nowMs, nextAttemptMs: nowMs + delayMs, status, error: reason };
    this.#tables.noteFailed(triggerId, failure);
  }

  #disable(triggerId: number, home: Home, reason: string, status: number | null): void {
    const { archive, clock } = this.#ports;
    const nowMs = clock.nowMs();
    const work = () => {
      const failure = { nowMs, nextAttemptMs: nowMs, status, error: reason };
      this.#tables.noteFailed(triggerId, failure);
      this.#tables.disable(triggerId, reason, nowMs);
      return this.#tables.trigger(triggerId)!;
    };
    archive.record(work, (trigger) => {
      const value = { ...archivedTrigger(trigger, home), disabled_reason: reason };
      archive.noteEvent("trigger", disabledTags(trigger, home), value);
      return triggerChange("update", trigger, home);
    });
    this.#ports.report({ event: "trigger_disabled", triggerId, reason });
    void archive.deliver();
  }
}

/** As many as go into one request. */
function firstOf(events: readonly StoredEvent[]): readonly StoredEvent[] {
  let byteLength = 0;
  const end = events.findIndex((event, at) => {
    byteLength += Buffer.byteLength(eventJson(event));
    const isFull = at > 0 && byteLength > LIMITS.triggerRequestBytesMax;
    return isFull || at >= LIMITS.triggerEventsPerRequestMax;
  });
  return end === -1 ? events : events.slice(0, end);
}

/** The same for the same events, so that a repeat is one by its bytes, too. */
function bodyOf(trigger: Trigger, home: Home, events: readonly StoredEvent[]): string {
  const { id, name, database } = archivedTrigger(trigger, home);
  const head = JSON.stringify({ type: "events", timestamp: eventTime(events.at(-1)!.timeUs) });
  const about = JSON.stringify({ database, trigger: { id, name } });
  const list = events.map(eventJson).join(",");
  return `${head.slice(0, -1)},"data":${about.slice(0, -1)},"events":[${list}]}}`;
}
