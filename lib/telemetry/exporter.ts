// Where spans or log records wait until they are sent on: a queue that is bounded, whatever
// happens to whom they are sent to.
//
// They are samples of what happened, and never hold anything up: what does not fit is let go and
// counted, and so is a batch that nobody would take for some minutes. What waits here when the
// object is moved or dies is lost. Sizes and pauses are those of OpenTelemetry's own SDKs:
// https://opentelemetry.io/docs/specs/otel/trace/sdk/#batching-processor.

import { LIMITS } from "#lib/base/limits.ts";
import type { Clock } from "#lib/base/ports.ts";
import type { SendOutcome } from "./otlp-answer.ts";

export type DropReason = "full" | "unreachable" | "refused";

export interface ExporterPorts<Item> {
  readonly clock: Clock;
  sleep(ms: number): Promise<void>;
  /** Between 0 and 1. */
  random(): number;
  /**
   * One try; never throws. `key` is the same for each try of one batch, and never another's.
   */
  send(items: readonly Item[], key: string): Promise<SendOutcome>;
  newKey(): string;
  sent(outcome: SendOutcome["kind"]): void;
  dropped(count: number, reason: DropReason): void;
}

export class Exporter<Item> {
  readonly #ports: ExporterPorts<Item>;
  #waiting: Item[] = [];
  #isRunning = false;
  #isFull = Promise.withResolvers<void>();

  constructor(ports: ExporterPorts<Item>) {
    this.#ports = ports;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Takes what fits. Returns a promise that resolves when all of it is sent on, or let go. */
  async offer(items: readonly Item[]): Promise<void> {
    const room = LIMITS.exportQueueMax - this.#waiting.length;
    for (const item of items.slice(0, Math.max(0, room))) this.#waiting.push(item);
    if (items.length > room) this.#ports.dropped(items.length - Math.max(0, room), "full");
    if (this.#waiting.length >= LIMITS.exportBatchMax) this.#isFull.resolve();
    if (this.#isRunning || this.#waiting.length === 0) return;
    this.#isRunning = true;
    try {
      while (this.#waiting.length > 0) await this.#sendNext();
    } finally {
      this.#isRunning = false;
    }
  }

  /** A batch is sent when it is full, or else a little after its first item came. */
  async #sendNext(): Promise<void> {
    if (this.#waiting.length < LIMITS.exportBatchMax) {
      this.#isFull = Promise.withResolvers();
      await Promise.race([this.#ports.sleep(LIMITS.exportAfterMs), this.#isFull.promise]);
    }
    await this.#sendUntilTaken(this.#waiting.splice(0, LIMITS.exportBatchMax));
  }

  async #sendUntilTaken(items: readonly Item[]): Promise<void> {
    const { clock, random, sleep, dropped } = this.#ports;
    const key = this.#ports.newKey();
    const deadlineMs = clock.nowMs() + LIMITS.exportRetryForMs;
    for (let pauseMs: number = LIMITS.exportRetryMs; ; pauseMs *= 2) {
      const outcome = await this.#ports.send(items, key);
      this.#ports.sent(outcome.kind);
      if (outcome.kind === "refused") return dropped(items.length, "refused");
      if (outcome.kind === "taken") {
        if (outcome.rejectedCount > 0) dropped(outcome.rejectedCount, "refused");
        return;
      }
      // Half of it at random, so that not all who were turned away come back at once.
      const ownMs = Math.min(pauseMs, LIMITS.exportRetryMsMax) * (0.5 + random() / 2);
      const waitMs = Math.max(ownMs, outcome.waitMs ?? 0);
      if (clock.nowMs() + waitMs > deadlineMs) return dropped(items.length, "unreachable");
      await sleep(waitMs);
    }
  }
}
