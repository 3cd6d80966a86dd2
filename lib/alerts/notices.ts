// Delivering the webhooks of the rules: each at least once, those of a rule in their order.
//
// A webhook is a row that was written together with the state that it tells of, and is removed when
// the receiver has said yes. It has one id and one body at every attempt, also after a crash, so a
// receiver that remembers ids takes each once. A receiver that fails is asked again later and later
// (lib/webhooks/retry-plan.ts); after a day of failures, or when it wants no more, or when more
// than LIMITS.alertNoticesMax wait, the oldest is given up, which is an event.

import type { Archive } from "#lib/archive/archive.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import type { WebhookOutcome } from "#lib/webhooks/answers.ts";
import { isGivenUp, retryDelayMs } from "#lib/webhooks/retry-plan.ts";
import type { Webhook } from "#lib/webhooks/sign.ts";
import type { AlertTables, Notice } from "./alert-tables.ts";
import { alertTags, describeAlert } from "./artifacts.ts";
import type { AlertReport } from "./runs.ts";

export interface NoticePorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly archive: Pick<Archive, "noteEvent" | "deliver">;
  /** From 0 up to, not including, 1. */
  random(): number;
  send(url: string, webhook: Webhook, secret: string): Promise<WebhookOutcome>;
  report(event: AlertReport): void;
}

/** A delivery that ended without a word, as with its isolate, is taken up again after this. */
const RESUME_MS = 30_000;
/** After a fault of ours. */
const TROUBLE_MS = 5_000;

export class Notices {
  readonly #ports: NoticePorts;
  readonly #tables: AlertTables;
  readonly #ended: () => void;
  readonly #running = new Set<number>();
  #isStopped = false;

  /** `ended` is called when a delivery rests: the alarm may have to be set. */
  constructor(ports: NoticePorts, tables: AlertTables, ended: () => void) {
    this.#ports = ports;
    this.#tables = tables;
    this.#ended = ended;
  }

  /** Goes on with every rule that has something to tell and is not told to wait. */
  wake(): void {
    if (this.#isStopped) return;
    for (const ruleId of this.#tables.rulesWithNotices()) {
      if (this.#running.has(ruleId) || !this.#isDue(ruleId)) continue;
      this.#running.add(ruleId);
      void this.#deliver(ruleId);
    }
  }

  /** When to look again; null: nothing waits. */
  nextMs(): number | null {
    if (this.#isStopped) return null;
    const nowMs = this.#ports.clock.nowMs();
    const times = this.#tables.rulesWithNotices().map((ruleId) => {
      if (this.#running.has(ruleId)) return nowMs + RESUME_MS;
      return this.#tables.delivery(ruleId).nextAttemptMs ?? nowMs;
    });
    return times.length === 0 ? null : Math.min(...times);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** A wait longer than any there is comes of a clock that was set back. */
  #isDue(ruleId: number): boolean {
    const nowMs = this.#ports.clock.nowMs();
    const nextMs = this.#tables.delivery(ruleId).nextAttemptMs ?? nowMs;
    return nextMs <= nowMs || nextMs > nowMs + LIMITS.webhookRetryAfterMsMax;
  }

  /** Never throws. */
  async #deliver(ruleId: number): Promise<void> {
    try {
      // Nobody may hear of a state that a crash would undo.
      await this.#ports.store.sync();
      for (let next = this.#next(ruleId); next !== null; next = this.#next(ruleId)) {
        await this.#send(ruleId, next);
      }
    } catch (error) {
      this.#ports.report({ event: "alerts_failed", error });
      if (!this.#isStopped) this.#rest(ruleId);
    } finally {
      this.#running.delete(ruleId);
      if (!this.#isStopped) this.#ended();
    }
  }

  /** null: there is nothing to send now, or nobody to send it for. */
  #next(ruleId: number): Notice | null {
    if (this.#isStopped || this.#tables.rule(ruleId) === null) return null;
    this.#dropTooMany(ruleId);
    return this.#isDue(ruleId) ? this.#tables.firstNotice(ruleId) : null;
  }

  #rest(ruleId: number): void {
    if (this.#tables.rule(ruleId) === null) return;
    const nextAttemptMs = this.#ports.clock.nowMs() + TROUBLE_MS;
    this.#tables.saveDelivery(ruleId, { ...this.#tables.delivery(ruleId), nextAttemptMs });
  }

  async #send(ruleId: number, { noticeNo, webhookId, body }: Notice): Promise<void> {
    const { send } = this.#ports;
    const rule = this.#tables.rule(ruleId)!;
    // The rule was changed and wants nobody told any more.
    if (rule.url === null) return this.#tables.removeNotices(ruleId);
    const outcome = await send(rule.url, { webhookId, body }, this.#tables.secretOf(ruleId));
    if (this.#isStopped) return;
    // Changed or removed meanwhile: the answer is not that of the receiver that it has now.
    if (this.#tables.rule(ruleId)?.updatedMs !== rule.updatedMs) return;
    this.#ports.store.transact(() => this.#note(ruleId, noticeNo, outcome));
  }

  #note(ruleId: number, noticeNo: number, outcome: WebhookOutcome): void {
    const nowMs = this.#ports.clock.nowMs();
    const before = this.#tables.delivery(ruleId);
    const { status } = outcome;
    if (outcome.kind === "delivered") {
      this.#tables.removeNotice(noticeNo);
      const well = { failureCount: 0, failingSinceMs: null, nextAttemptMs: null, lastError: null };
      const last = { lastDeliveryMs: nowMs, lastStatus: status };
      return this.#tables.saveDelivery(ruleId, { ...before, ...well, ...last });
    }
    const isGone = outcome.kind === "gone";
    const error = isGone ? "the receiver answered 410: it wants no more" : outcome.reason;
    const failureCount = before.failureCount + 1;
    const failingSinceMs = before.failingSinceMs ?? nowMs;
    const retryAfterMs = isGone ? null : outcome.retryAfterMs;
    const delayMs = retryDelayMs(failureCount, retryAfterMs, this.#ports.random());
    const failing = { failureCount, failingSinceMs, lastStatus: status, lastError: error };
    const nextAttemptMs = nowMs + delayMs;
    this.#tables.saveDelivery(ruleId, { ...before, ...failing, nextAttemptMs });
    const isHopeless = isGivenUp({ count: failureCount, sinceMs: failingSinceMs }, nowMs);
    if (isGone || isHopeless) this.#drop(ruleId, noticeNo, error);
  }

  #dropTooMany(ruleId: number): void {
    const excess = this.#tables.noticeCount(ruleId) - LIMITS.alertNoticesMax;
    if (excess <= 0) return;
    this.#ports.store.transact(() => {
      for (let count = 0; count < excess; count++) {
        const { noticeNo } = this.#tables.firstNotice(ruleId)!;
        this.#drop(ruleId, noticeNo, `more than ${LIMITS.alertNoticesMax} webhooks wait`);
      }
    });
  }

  #drop(ruleId: number, noticeNo: number, reason: string): void {
    const before = this.#tables.delivery(ruleId);
    this.#tables.removeNotice(noticeNo);
    this.#tables.saveDelivery(ruleId, { ...before, droppedCount: before.droppedCount + 1 });
    const rule = this.#tables.rule(ruleId)!;
    const home = this.#tables.home()!;
    const value = { alert: describeAlert(rule, home), state: "undelivered", error: reason };
    this.#ports.archive.noteEvent("alert", alertTags(rule, home, "undelivered"), value);
    void this.#ports.archive.deliver();
  }
}
