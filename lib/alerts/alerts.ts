// Alert rules of one database: a query on a schedule, what its rows mean, and who is told.
//
// This is what users make and change, each change with its event of the archive in one transaction;
// how rules run: runs.ts, how receivers are told: notices.ts. A rule that is changed in what it
// asks, or disabled, or deleted, begins anew: what fired is resolved, as an event.
//
// Refuses a name that is taken, and more rules than LIMITS.alertsPerDatabaseMax.
// Shell: durable-objects/alert-rules.ts. For users: docs/alerting.md.

import type { Archive } from "#lib/archive/archive.ts";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Alarm } from "#lib/base/ports.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import { type AlertTables, openAlertTables } from "./alert-tables.ts";
import { alertTags, describeAlert, describeInstance, ruleChange } from "./artifacts.ts";
import { ruleJson, type ShownRule } from "./artifacts.ts";
import { type CustomSeries, customSeries } from "./custom-metrics.ts";
import { isActive } from "./instance.ts";
import { noticeBody } from "./notice.ts";
import { type NoticePorts, Notices } from "./notices.ts";
import { parseRule } from "./parse-rule.ts";
import { type RunPorts, Runs } from "./runs.ts";
import { firstRunMs } from "./schedule.ts";
import type { Home, Rule, RuleFields } from "./types.ts";

export interface AlertPorts extends Omit<RunPorts, "archive">, Omit<NoticePorts, "archive"> {
  readonly alarm: Alarm;
  readonly archive: Pick<Archive, "record" | "note" | "noteEvent" | "deliver">;
}

/** What a scraper is told of the rules, as they stand. */
export interface AlertGauges {
  /** null: there was never a rule. */
  readonly home: Home | null;
  readonly firing: number;
  readonly series: readonly CustomSeries[];
}

export class Alerts {
  readonly #ports: AlertPorts;
  readonly #tables: AlertTables;
  readonly #runs: Runs;
  readonly #notices: Notices;
  #isStopped = false;

  constructor(ports: AlertPorts) {
    this.#ports = ports;
    this.#tables = openAlertTables(ports.store);
    this.#runs = new Runs(ports, this.#tables, () => this.wake());
    this.#notices = new Notices(ports, this.#tables, () => this.#arm());
    this.#arm();
  }

  list(): ShownRule[] {
    return this.#tables.rules().map((rule) => this.#shown(rule));
  }

  /** Throws `alert_unknown`. */
  find(ruleId: number): ShownRule {
    return this.#shown(this.#rule(ruleId));
  }

  /** Throws `parameter_invalid`, `alert_exists`. */
  create(home: Home, body: JsonObject, secret: string): ShownRule {
    const fields = parseRule(body);
    this.#demandFree(fields.name, null);
    const limit = LIMITS.alertsPerDatabaseMax;
    if (this.#tables.rules().length >= limit) {
      const message = `a database has ${limit} alert rules at most`;
      throw new SluiceError("parameter_invalid", message, { limit });
    }
    const nowMs = this.#ports.clock.nowMs();
    const work = () => {
      this.#tables.noteHome(home);
      const ruleId = this.#tables.insertRule(fields, secret, nowMs);
      this.#plan(ruleId, fields);
      return this.#rule(ruleId);
    };
    const rule = this.#ports.archive.record(work, (made) => ruleChange("create", made, home));
    this.#arm();
    return this.#shown(rule);
  }

  /** What `change` does not name stays; `secret` null: it, too. Throws as `create` and `find`. */
  update(home: Home, ruleId: number, change: JsonObject, secret: string | null): ShownRule {
    const before = this.#rule(ruleId);
    const fields = parseRule({ ...ruleJson(before), ...change });
    this.#demandFree(fields.name, ruleId);
    // Never the same moment twice: a run tells by it that the rule is another now.
    const nowMs = Math.max(this.#ports.clock.nowMs(), before.updatedMs + 1);
    const work = () => {
      this.#tables.noteHome(home);
      if (!asksTheSame(before, fields)) this.#beginAnew(before, home, nowMs);
      this.#tables.updateRule(ruleId, fields, secret ?? this.#tables.secretOf(ruleId), nowMs);
      const { lastDeliveryMs, droppedCount } = this.#tables.delivery(ruleId);
      this.#tables.saveDelivery(ruleId, { ...UNTRIED, lastDeliveryMs, droppedCount });
      this.#plan(ruleId, fields);
      return this.#rule(ruleId);
    };
    const rule = this.#ports.archive.record(work, (updated) => {
      const noted = ruleChange("update", updated, home);
      return secret === null ? noted : { ...noted, isRotated: true as const };
    });
    this.wake();
    return this.#shown(rule);
  }

  /** Webhooks that were not delivered yet are not delivered any more. Throws `alert_unknown`. */
  remove(home: Home, ruleId: number): void {
    const rule = this.#rule(ruleId);
    const work = () => {
      this.#beginAnew(rule, home, this.#ports.clock.nowMs());
      this.#tables.removeRule(ruleId);
    };
    this.#ports.archive.record(work, () => ruleChange("delete", rule, home));
  }

  /** `untilMs` null: no more. Throws `alert_unknown`. */
  silence(home: Home, ruleId: number, untilMs: number | null): ShownRule {
    const rule = this.#rule(ruleId);
    const work = () => {
      const run = this.#tables.run(ruleId);
      this.#tables.saveRun(ruleId, { ...run, silencedUntilMs: untilMs });
      return untilMs === null ? null : new Date(untilMs).toISOString();
    };
    this.#ports.archive.record(work, (until) => {
      const change = ruleChange("update", rule, home);
      return { ...change, artifact: { ...(change.artifact as object), silenced_until: until } };
    });
    return this.#shown(rule);
  }

  /** Runs it now and resolves when it has run. Throws `alert_unknown`, `alert_inactive`. */
  async run(ruleId: number): Promise<ShownRule> {
    if (!this.#rule(ruleId).isEnabled) {
      throw new SluiceError("alert_inactive", "the rule is not enabled", { id: ruleId });
    }
    await this.#runs.run(ruleId);
    return this.find(ruleId);
  }

  /** null: there was never a rule. */
  home(): Home | null {
    return this.#tables.home();
  }

  gauges(): AlertGauges {
    const shown = this.list();
    const instances = shown.flatMap(({ run }) => run.instances);
    return {
      home: this.home(),
      firing: instances.filter(({ state }) => state === "firing").length,
      series: shown.flatMap(({ rule, run }) => customSeries(rule, run.samples)),
    };
  }

  /** An alarm, or a poke in case one was lost. Returns at once. */
  wake(): void {
    this.#runs.wake();
    this.#notices.wake();
    this.#arm();
  }

  /** The database is dropped, and whatever is stored here is about to go with it. */
  stop(): void {
    this.#isStopped = true;
    this.#runs.stop();
    this.#notices.stop();
  }

  #arm(): void {
    if (this.#isStopped) return;
    const times = [this.#runs.nextMs(), this.#notices.nextMs()].filter((ms) => ms !== null);
    if (times.length > 0) this.#ports.alarm.setMs(Math.min(...times));
  }

  #plan(ruleId: number, { isEnabled }: RuleFields): void {
    const { clock, random } = this.#ports;
    this.#tables.setNext(ruleId, isEnabled ? firstRunMs(clock.nowMs(), random()) : null);
  }

  /** Inside a transaction: what is known of its label sets is forgotten, and resolved. */
  #beginAnew(rule: Rule, home: Home, nowMs: number): void {
    const { archive, newId } = this.#ports;
    const run = this.#tables.run(rule.ruleId);
    const ended = run.instances
      .filter(isActive)
      .map((one) => ({ ...one, state: one.state === "firing" ? "resolved" : "ok" }) as const);
    for (const instance of ended) {
      const value = { alert: describeAlert(rule, home), ...describeInstance(rule, instance) };
      archive.noteEvent("alert", alertTags(rule, home, instance.state), value);
    }
    const alerts = ended.filter(({ isTold }) => isTold);
    if (alerts.length > 0 && rule.url !== null) {
      const told = { status: "resolved", alerts, error: null } as const;
      const body = noticeBody(rule, home, told, nowMs);
      this.#tables.insertNotice(rule.ruleId, `msg_${newId()}`, body);
    }
    // That its query fails stands until one does not: whoever was told of it is told of that.
    const past = { lastRunMs: null, lastOkMs: null, durationMs: null, leftOutCount: 0 };
    this.#tables.saveRun(rule.ruleId, { ...run, ...past, instances: [], samples: [] });
  }

  #rule(ruleId: number): Rule {
    const rule = this.#tables.rule(ruleId);
    if (rule !== null) return rule;
    throw new SluiceError("alert_unknown", `Alert rule ${ruleId} not found`, { id: ruleId });
  }

  #shown(rule: Rule): ShownRule {
    const { ruleId } = rule;
    return {
      rule,
      run: this.#tables.run(ruleId),
      delivery: this.#tables.delivery(ruleId),
      waitingCount: this.#tables.noticeCount(ruleId),
    };
  }

  /** `ownId`: of the rule that may have the name. */
  #demandFree(name: string, ownId: number | null): void {
    const taken = this.#tables.ruleIdOf(name);
    if (taken === null || taken === ownId) return;
    throw new SluiceError("alert_exists", `an alert rule named "${name}" exists already`, { name });
  }
}

const UNTRIED = {
  failureCount: 0,
  failingSinceMs: null,
  nextAttemptMs: null,
  lastStatus: null,
  lastError: null,
} as const;

/** What is known of label sets stays true. */
function asksTheSame(before: RuleFields, after: RuleFields): boolean {
  const asked = ({ sql, test, isEnabled }: RuleFields) => JSON.stringify([sql, test, isEnabled]);
  return asked(before) === asked(after);
}
