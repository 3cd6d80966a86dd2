// Running the rules: ask, judge, and note state, events and webhooks in one transaction.
//
// A rule never runs twice at once, and only LIMITS.alertRunsAtOnce rules run at all, so that they
// leave the engines to others. A crash in the middle leaves the rule as it was, and due. What was
// asked for a rule that was changed meanwhile is thrown away. A query that fails changes no state:
// after LIMITS.alertFailuresMin failures in a row that is an event and a webhook of its own, and
// the other rules go on.

import type { Archive } from "#lib/archive/archive.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import type { AlertTables } from "./alert-tables.ts";
import { alertTags, describeAlert, describeInstance, isFailing } from "./artifacts.ts";
import type { Status } from "./artifacts.ts";
import { judgeRun, type Verdict, type WatchingRule } from "./judge-run.ts";
import { markTold, noticeBody, type Told } from "./notice.ts";
import { samplesOf } from "./observe.ts";
import { isDue, nextRunMs } from "./schedule.ts";
import type { AlertRows, Home, Rule, RunState, Sample } from "./types.ts";

export type AlertReport =
  | { readonly event: "rule_run"; readonly outcome: "ok" | "failed"; readonly seconds: number }
  | { readonly event: "alerts_fired"; readonly rule: string; readonly count: number }
  | { readonly event: "alerts_failed"; readonly error: unknown };

export interface RunPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  readonly archive: Pick<Archive, "noteEvent" | "deliver">;
  newId(): string;
  /** Throws what refuses a query, and when it takes too long. */
  query(home: Home, sql: string): Promise<AlertRows>;
  /** At least one. Resolves when they are rows. */
  storeSamples(home: Home, rule: string, samples: readonly Sample[], atMs: number): Promise<void>;
  report(event: AlertReport): void;
}

/** A run that ended without a word, as with its isolate, is taken up again after this. */
const RESUME_MS = 30_000;

type Result =
  | { readonly kind: "verdict"; readonly rows: AlertRows }
  | { readonly kind: "samples"; readonly samples: readonly Sample[]; readonly leftOutCount: number }
  | { readonly kind: "failed"; readonly error: string };

export class Runs {
  readonly #ports: RunPorts;
  readonly #tables: AlertTables;
  readonly #ended: () => void;
  readonly #running = new Map<number, Promise<void>>();
  #isStopped = false;

  /** `ended` is called after every run: there may be webhooks, and others may be due. */
  constructor(ports: RunPorts, tables: AlertTables, ended: () => void) {
    this.#ports = ports;
    this.#tables = tables;
    this.#ended = ended;
  }

  /** Starts what is due, the longest first, as far as there is room. Returns at once. */
  wake(): void {
    const nowMs = this.#ports.clock.nowMs();
    const due = this.#waiting().filter(({ nextMs, everyMs }) => isDue(nextMs, everyMs, nowMs));
    for (const { ruleId } of due.toSorted((a, b) => a.nextMs - b.nextMs)) {
      if (this.#running.size >= LIMITS.alertRunsAtOnce) return;
      void this.run(ruleId);
    }
  }

  /** Resolves after a run of the rule: the one that is under way, or else a new one. */
  run(ruleId: number): Promise<void> {
    const running = this.#running.get(ruleId);
    if (running !== undefined) return running;
    // A step later, so that it is among the running ones before it can end.
    const run = Promise.resolve().then(() => this.#run(ruleId));
    this.#running.set(ruleId, run);
    return run;
  }

  /** When to look again; null: there is no rule that runs. */
  nextMs(): number | null {
    const nowMs = this.#ports.clock.nowMs();
    const isFull = this.#running.size >= LIMITS.alertRunsAtOnce;
    // Where there is no room, the next run that ends looks for them.
    const times = isFull ? [] : this.#waiting().map(({ nextMs }) => nextMs);
    if (this.#running.size > 0) times.push(nowMs + RESUME_MS);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** For good: the tables are about to go. */
  stop(): void {
    this.#isStopped = true;
  }

  #waiting(): { ruleId: number; nextMs: number; everyMs: number }[] {
    if (this.#isStopped) return [];
    const next = new Map(this.#tables.nextRuns().map(({ ruleId, nextMs }) => [ruleId, nextMs]));
    return this.#tables.rules().flatMap(({ ruleId, everyMs }) => {
      const nextMs = next.get(ruleId) ?? null;
      return nextMs === null || this.#running.has(ruleId) ? [] : [{ ruleId, nextMs, everyMs }];
    });
  }

  /** Never throws. */
  async #run(ruleId: number): Promise<void> {
    const { clock, report, archive } = this.#ports;
    const startedMs = clock.nowMs();
    try {
      const rule = this.#tables.rule(ruleId);
      const home = this.#tables.home();
      if (rule === null || home === null || this.#isStopped) return;
      const result = await this.#ask(rule, home, startedMs);
      const seconds = Math.max(0, clock.nowMs() - startedMs) / 1_000;
      report({ event: "rule_run", outcome: result.kind === "failed" ? "failed" : "ok", seconds });
      // Changed or removed meanwhile: this is not about the rule as it is.
      if (this.#isStopped || this.#tables.rule(ruleId)?.updatedMs !== rule.updatedMs) return;
      this.#commit(rule, home, result, startedMs);
      void archive.deliver();
    } catch (error) {
      report({ event: "alerts_failed", error });
      this.#postpone(ruleId);
    } finally {
      this.#running.delete(ruleId);
      if (!this.#isStopped) this.#ended();
    }
  }

  /** After a fault of ours: at once again would be for ever. */
  #postpone(ruleId: number): void {
    const rule = this.#isStopped ? null : this.#tables.rule(ruleId);
    if (rule === null) return;
    this.#tables.setNext(ruleId, this.#ports.clock.nowMs() + rule.everyMs);
  }

  async #ask(rule: Rule, home: Home, atMs: number): Promise<Result> {
    try {
      const rows = await this.#ports.query(home, rule.sql);
      if (rule.test.kind !== "metric") {
        // Judged once for its refusals, which are failures of the run; the state may still move.
        judgeRun(rule as WatchingRule, { instances: [], lastOkMs: null }, rows, atMs);
        return { kind: "verdict", rows };
      }
      const all = samplesOf(rows);
      const samples = all.slice(0, LIMITS.alertSeriesMax);
      if (samples.length > 0) await this.#ports.storeSamples(home, rule.name, samples, atMs);
      return { kind: "samples", samples, leftOutCount: all.length - samples.length };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { kind: "failed", error: text.slice(0, LIMITS.alertErrorCharsMax) };
    }
  }

  #commit(rule: Rule, home: Home, result: Result, startedMs: number): void {
    const nowMs = this.#ports.clock.nowMs();
    this.#ports.store.transact(() => {
      const before = this.#tables.run(rule.ruleId);
      const base = {
        ...before,
        nextMs: nextRunMs(before.nextMs ?? nowMs, rule.everyMs, nowMs),
        lastRunMs: nowMs,
        durationMs: Math.max(0, nowMs - startedMs),
      };
      const after =
        result.kind === "failed"
          ? this.#failed(rule, home, base, result.error)
          : this.#succeeded(rule, home, base, result, nowMs);
      this.#tables.saveRun(rule.ruleId, after);
    });
  }

  #failed(rule: Rule, home: Home, run: RunState, error: string): RunState {
    const failed = { ...run, failureCount: run.failureCount + 1, lastError: error };
    if (!isFailing(failed)) return failed;
    if (!isFailing(run)) this.#tell(rule, home, run, "error", error);
    // A gauge would go on showing what was true once.
    return { ...failed, samples: [] };
  }

  #succeeded(
    rule: Rule,
    home: Home,
    run: RunState,
    result: Exclude<Result, { kind: "failed" }>,
    nowMs: number,
  ): RunState {
    if (isFailing(run)) this.#tell(rule, home, run, "ok", null);
    const well = { ...run, lastOkMs: nowMs, failureCount: 0, lastError: null };
    if (result.kind === "samples") {
      return { ...well, samples: result.samples, leftOutCount: result.leftOutCount };
    }
    const verdict = judgeRun(rule as WatchingRule, run, result.rows, nowMs);
    this.#noteChanges(rule, home, verdict);
    const isSilenced = run.silencedUntilMs !== null && nowMs < run.silencedUntilMs;
    const { instances, told } = markTold(rule, verdict.instances, isSilenced, nowMs);
    this.#notify(rule, home, told, nowMs);
    return { ...well, instances, leftOutCount: verdict.leftOutCount };
  }

  #noteChanges(rule: Rule, home: Home, { changed }: Verdict): void {
    for (const { instance } of changed) {
      const value = { alert: describeAlert(rule, home), ...describeInstance(rule, instance) };
      this.#ports.archive.noteEvent("alert", alertTags(rule, home, instance.state), value);
    }
    const count = changed.filter(({ instance }) => instance.state === "firing").length;
    if (count > 0) this.#ports.report({ event: "alerts_fired", rule: rule.name, count });
  }

  /** What is about the rule itself and not about a label set. */
  #tell(rule: Rule, home: Home, run: RunState, status: Status, error: string | null): void {
    const nowMs = this.#ports.clock.nowMs();
    const value = { alert: describeAlert(rule, home), state: status, error };
    this.#ports.archive.noteEvent("alert", alertTags(rule, home, status), value);
    const isSilenced = run.silencedUntilMs !== null && nowMs < run.silencedUntilMs;
    if (!isSilenced) this.#notify(rule, home, { status, alerts: [], error }, nowMs);
  }

  #notify(rule: Rule, home: Home, told: Told | null, nowMs: number): void {
    if (told === null || rule.url === null) return;
    const webhookId = `msg_${this.#ports.newId()}`;
    this.#tables.insertNotice(rule.ruleId, webhookId, noticeBody(rule, home, told, nowMs));
  }
}
