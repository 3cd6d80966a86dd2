// The tables of alert rules: schema, row types and every SQL statement, and nothing else.
// The protocol that uses them: alerts.ts, runs.ts, notices.ts. For operators: docs/storage.md.

import type { SqlStore } from "#lib/base/ports.ts";
import type { DeliveryState, Home, Rule, RuleFields, RunState } from "./types.ts";

/** `fields`, `instances` and `samples` are JSON: a run writes one row, whatever it has seen. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS alert_home (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  database_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  shard_count INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS alert_rule (
  rule_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  fields TEXT NOT NULL,
  secret TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS alert_run (
  rule_id INTEGER PRIMARY KEY,
  next_ms INTEGER,
  last_run_ms INTEGER,
  last_ok_ms INTEGER,
  duration_ms INTEGER,
  failure_count INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  left_out_count INTEGER NOT NULL DEFAULT 0,
  silenced_until_ms INTEGER,
  instances TEXT NOT NULL DEFAULT '[]',
  samples TEXT NOT NULL DEFAULT '[]'
);
CREATE TABLE IF NOT EXISTS alert_delivery (
  rule_id INTEGER PRIMARY KEY,
  failure_count INTEGER NOT NULL DEFAULT 0,
  failing_since_ms INTEGER,
  next_attempt_ms INTEGER,
  last_delivery_ms INTEGER,
  last_status INTEGER,
  last_error TEXT,
  dropped_count INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS alert_notice (
  notice_no INTEGER PRIMARY KEY AUTOINCREMENT,
  rule_id INTEGER NOT NULL,
  webhook_id TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS alert_notice_by_rule ON alert_notice (rule_id, notice_no);
`;

export interface Notice {
  /** Grows in the order of the runs. */
  readonly noticeNo: number;
  readonly webhookId: string;
  /** JSON text. */
  readonly body: string;
}

interface RuleRow extends Pick<Rule, "ruleId" | "name" | "createdMs" | "updatedMs"> {
  readonly fields: string;
}

interface RunRow extends Omit<RunState, "instances" | "samples"> {
  readonly instances: string;
  readonly samples: string;
}

const RULE = `rule_id AS ruleId, name, fields, created_ms AS createdMs, updated_ms AS updatedMs`;
const RUN = `next_ms AS nextMs, last_run_ms AS lastRunMs, last_ok_ms AS lastOkMs,
  duration_ms AS durationMs, failure_count AS failureCount, last_error AS lastError,
  left_out_count AS leftOutCount, silenced_until_ms AS silencedUntilMs, instances, samples`;
const DELIVERY = `failure_count AS failureCount, failing_since_ms AS failingSinceMs,
  next_attempt_ms AS nextAttemptMs, last_delivery_ms AS lastDeliveryMs,
  last_status AS lastStatus, last_error AS lastError, dropped_count AS droppedCount`;

export type AlertTables = ReturnType<typeof openAlertTables>;

/** Statements over `store`, which is made ready on the way. */
export function openAlertTables(store: SqlStore) {
  store.exec(SCHEMA);
  return {
    ...ruleTable(store),
    ...runTable(store),
    ...noticeTable(store),
    ...deliveryTable(store),
  };
}

function ruleTable(store: SqlStore) {
  return {
    noteHome({ databaseId, name, shardCount }: Home): void {
      const sql = "INSERT OR REPLACE INTO alert_home VALUES (1, ?, ?, ?)";
      store.exec(sql, databaseId, name, shardCount);
    },
    /** null: there was never a rule. */
    home(): Home | null {
      const sql =
        "SELECT database_id AS databaseId, name, shard_count AS shardCount FROM alert_home";
      return store.exec<Home>(sql)[0] ?? null;
    },
    rules(): Rule[] {
      const sql = `SELECT ${RULE} FROM alert_rule ORDER BY rule_id`;
      return store.exec<RuleRow>(sql).map(toRule);
    },
    rule(ruleId: number): Rule | null {
      const row = store.exec<RuleRow>(
        `SELECT ${RULE} FROM alert_rule WHERE rule_id = ?`,
        ruleId,
      )[0];
      return row === undefined ? null : toRule(row);
    },
    ruleIdOf(name: string): number | null {
      const sql = "SELECT rule_id AS ruleId FROM alert_rule WHERE name = ?";
      return store.exec<{ ruleId: number }>(sql, name)[0]?.ruleId ?? null;
    },
    secretOf(ruleId: number): string {
      const sql = "SELECT secret FROM alert_rule WHERE rule_id = ?";
      return store.exec<{ secret: string }>(sql, ruleId)[0]!.secret;
    },
    insertRule(fields: RuleFields, secret: string, nowMs: number): number {
      const sql = `INSERT INTO alert_rule (name, fields, secret, created_ms, updated_ms)
        VALUES (?1, ?2, ?3, ?4, ?4) RETURNING rule_id AS ruleId`;
      const text = JSON.stringify(fields);
      const { ruleId } = store.exec<{ ruleId: number }>(sql, fields.name, text, secret, nowMs)[0]!;
      store.exec("INSERT INTO alert_run (rule_id) VALUES (?)", ruleId);
      store.exec("INSERT INTO alert_delivery (rule_id) VALUES (?)", ruleId);
      return ruleId;
    },
    updateRule(ruleId: number, fields: RuleFields, secret: string, nowMs: number): void {
      const sql =
        "UPDATE alert_rule SET name = ?, fields = ?, secret = ?, updated_ms = ? WHERE rule_id = ?";
      store.exec(sql, fields.name, JSON.stringify(fields), secret, nowMs, ruleId);
    },
    removeRule(ruleId: number): void {
      for (const table of ["alert_rule", "alert_run", "alert_delivery", "alert_notice"]) {
        store.exec(`DELETE FROM ${table} WHERE rule_id = ?`, ruleId);
      }
    },
  };
}

function runTable(store: SqlStore) {
  return {
    /** Of a rule that there is. */
    run(ruleId: number): RunState {
      const sql = `SELECT ${RUN} FROM alert_run WHERE rule_id = ?`;
      const row = store.exec<RunRow>(sql, ruleId)[0]!;
      return { ...row, instances: JSON.parse(row.instances), samples: JSON.parse(row.samples) };
    },
    saveRun(ruleId: number, run: RunState): void {
      const sql = `UPDATE alert_run SET next_ms = ?, last_run_ms = ?, last_ok_ms = ?,
          duration_ms = ?, failure_count = ?, last_error = ?, left_out_count = ?,
          silenced_until_ms = ?, instances = ?, samples = ? WHERE rule_id = ?`;
      const times = [run.nextMs, run.lastRunMs, run.lastOkMs, run.durationMs] as const;
      const faults = [run.failureCount, run.lastError, run.leftOutCount] as const;
      const seen = [JSON.stringify(run.instances), JSON.stringify(run.samples)] as const;
      store.exec(sql, ...times, ...faults, run.silencedUntilMs, ...seen, ruleId);
    },
    setNext(ruleId: number, nextMs: number | null): void {
      store.exec("UPDATE alert_run SET next_ms = ? WHERE rule_id = ?", nextMs, ruleId);
    },
    /** Next times, without the rest of the rows. */
    nextRuns(): { ruleId: number; nextMs: number | null }[] {
      return store.exec("SELECT rule_id AS ruleId, next_ms AS nextMs FROM alert_run");
    },
  };
}

function noticeTable(store: SqlStore) {
  return {
    insertNotice(ruleId: number, webhookId: string, body: string): void {
      const sql = "INSERT INTO alert_notice (rule_id, webhook_id, body) VALUES (?, ?, ?)";
      store.exec(sql, ruleId, webhookId, body);
    },
    /** The oldest; null: none waits. */
    firstNotice(ruleId: number): Notice | null {
      const sql = `SELECT notice_no AS noticeNo, webhook_id AS webhookId, body FROM alert_notice
        WHERE rule_id = ? ORDER BY notice_no LIMIT 1`;
      return store.exec<Notice>(sql, ruleId)[0] ?? null;
    },
    removeNotice(noticeNo: number): void {
      store.exec("DELETE FROM alert_notice WHERE notice_no = ?", noticeNo);
    },
    removeNotices(ruleId: number): void {
      store.exec("DELETE FROM alert_notice WHERE rule_id = ?", ruleId);
    },
    noticeCount(ruleId: number): number {
      const sql = "SELECT count(*) AS n FROM alert_notice WHERE rule_id = ?";
      return store.exec<{ n: number }>(sql, ruleId)[0]!.n;
    },
    rulesWithNotices(): number[] {
      const sql = "SELECT DISTINCT rule_id AS ruleId FROM alert_notice";
      return store.exec<{ ruleId: number }>(sql).map(({ ruleId }) => ruleId);
    },
  };
}

function deliveryTable(store: SqlStore) {
  return {
    delivery(ruleId: number): DeliveryState {
      const sql = `SELECT ${DELIVERY} FROM alert_delivery WHERE rule_id = ?`;
      return store.exec<DeliveryState>(sql, ruleId)[0]!;
    },
    saveDelivery(ruleId: number, state: DeliveryState): void {
      const sql = `UPDATE alert_delivery SET failure_count = ?, failing_since_ms = ?,
          next_attempt_ms = ?, last_delivery_ms = ?, last_status = ?, last_error = ?,
          dropped_count = ? WHERE rule_id = ?`;
      const failures = [state.failureCount, state.failingSinceMs, state.nextAttemptMs] as const;
      const last = [state.lastDeliveryMs, state.lastStatus, state.lastError] as const;
      store.exec(sql, ...failures, ...last, state.droppedCount, ruleId);
    },
  };
}

function toRule({ fields, ...row }: RuleRow): Rule {
  return { ...(JSON.parse(fields) as RuleFields), ...row };
}
