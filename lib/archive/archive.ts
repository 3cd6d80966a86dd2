// The archive: every change of what Sluice itself keeps (tokens, databases, policies, …) becomes an
// event, never lost and never twice.
//
// A change and its event are one transaction of the object that has the changed thing: the event is
// a row of an outbox there. From the outbox it goes to the stream of events, under its own id as
// the idempotency key, and is removed when the stream has it. So a crash leaves at most an event
// that is sent again and that the stream knows already. Events of one object go one by one, in the
// order of the changes; one that cannot be delivered is never skipped, and no change fails for it.
//
// What waits is sent right after the change, and again by the object's alarm with back-off.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Alarm, Clock, SqlStore } from "#lib/base/ports.ts";
import { type ArchiveTables, openArchiveTables, type OutboxEvent } from "./archive-tables.ts";
import { type Change, tagsOf } from "./change.ts";

export interface ArchivePorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly alarm: Alarm;
  newId(): string;
  /** Resolves when the stream has the event, also when it has had it before. */
  post(event: OutboxEvent): Promise<void>;
  report(event: { readonly event: "archive_failed"; readonly error: unknown }): void;
}

export class Archive {
  readonly #ports: ArchivePorts;
  readonly #tables: ArchiveTables;
  #delivery: Promise<void> | null = null;
  /** Failed attempts since the last event that was delivered, and when the next one is due. */
  #failures = 0;
  #notBeforeMs = -Infinity;

  constructor(ports: ArchivePorts) {
    this.#ports = ports;
    this.#tables = openArchiveTables(ports.store);
    this.arm();
  }

  /** Carries out `work` and notes what it changed, both or neither. null: it changed nothing. */
  record<T>(work: () => T, changeOf: (result: T) => Change | null): T {
    return this.#ports.store.transact(() => {
      const result = work();
      const change = changeOf(result);
      if (change !== null) this.note(change);
      return result;
    });
  }

  /** Inside the transaction of the change. */
  note(change: Change): void {
    this.noteEvent("archive", tagsOf(change), change.artifact);
  }

  /** The same for another event of ours that must not be lost. */
  noteEvent(type: string, tags: readonly string[], value: unknown): void {
    const { clock, newId } = this.#ports;
    const event = { id: newId(), type, tags, valueJson: JSON.stringify(value) };
    // Whoever made the change delivers at once; this is for when it does not get so far. What has
    // waited before has its alarm.
    if (this.#tables.first() === null) this.#setAlarm(LIMITS.archiveResumeMs);
    this.#tables.insert(event, clock.nowMs());
  }

  /** Throws `buffer_unavailable` while something waits: the store must not go before it is told. */
  demandEmpty(): void {
    const count = this.#tables.count();
    if (count === 0) return;
    const message = `${count} archived events are not in the stream yet`;
    throw new SluiceError("buffer_unavailable", message, { retry_after_s: 1 });
  }

  /** Resolves when nothing waits, or the attempt has failed, or it is not time for one yet. */
  deliver(): Promise<void> {
    if (this.#delivery !== null) return this.#delivery;
    const isDue = this.#ports.clock.nowMs() >= this.#notBeforeMs;
    if (!isDue || this.#tables.first() === null) return Promise.resolve();
    this.#delivery = this.#deliverAll();
    return this.#delivery;
  }

  /** Never throws: after six throws the platform would drop the alarm for good. */
  async onAlarm(): Promise<void> {
    await this.deliver();
    this.arm();
  }

  /** An alarm that was lost comes back. */
  arm(): void {
    if (this.#tables.first() !== null) this.#setAlarm(0);
  }

  async #deliverAll(): Promise<void> {
    const { store, post, clock, report } = this.#ports;
    try {
      // Nobody may hear of a change that a crash would undo.
      await store.sync();
      for (let event = this.#tables.first(); event !== null; event = this.#tables.first()) {
        const { eventNo, ...sent } = event;
        await post(sent);
        this.#tables.remove(eventNo);
        this.#failures = 0;
      }
    } catch (error) {
      const waitMs = LIMITS.archiveRetryMs * 2 ** this.#failures++;
      this.#notBeforeMs = clock.nowMs() + Math.min(waitMs, LIMITS.archiveRetryMsMax);
      report({ event: "archive_failed", error });
      this.arm();
    } finally {
      // Not a step later than the last look: what is noted from now on finds no delivery running.
      this.#delivery = null;
    }
  }

  #setAlarm(afterMs: number): void {
    const atMs = this.#ports.clock.nowMs() + afterMs;
    this.#ports.alarm.setMs(Math.max(atMs, this.#notBeforeMs));
  }
}
