// The tables of retention: schema, row types and every SQL statement, and nothing else.
// The rules that use them: retention.ts. For operators: docs/storage.md.

import type { SqlStore } from "#lib/base/ports.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS retention_policy (
  policy_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  measurement TEXT,
  retention_days INTEGER NOT NULL,
  buffer_days INTEGER NOT NULL,
  straddling TEXT NOT NULL,
  is_active INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS retention_run (
  run_id INTEGER PRIMARY KEY AUTOINCREMENT,
  policy_id INTEGER NOT NULL,
  started_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  cutoff_ms INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  file_count INTEGER NOT NULL,
  error TEXT
);
CREATE INDEX IF NOT EXISTS retention_run_by_policy ON retention_run (policy_id, run_id);
CREATE TABLE IF NOT EXISTS retained_from (
  table_id INTEGER PRIMARY KEY,
  from_ms INTEGER NOT NULL
);
`;

export interface PolicyFields {
  readonly name: string;
  /** null: all of the database, also those that come later. */
  readonly measurement: string | null;
  /** Both together are how old a row may become. */
  readonly retentionDays: number;
  readonly bufferDays: number;
  /** What happens to a file that has older and younger rows. */
  readonly straddling: "keep" | "rewrite";
  /** False: it is not run. */
  readonly isActive: boolean;
}

export interface Policy extends PolicyFields {
  readonly policyId: number;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly lastRun: PolicyRun | null;
}

export interface PolicyRun {
  readonly runId: number;
  readonly policyId: number;
  readonly startedMs: number;
  readonly durationMs: number;
  readonly cutoffMs: number;
  /** What was dropped at once; a rewrite is a job of its own. */
  readonly rowCount: number;
  readonly fileCount: number;
  /** null: it did what it was for. */
  readonly error: string | null;
}

interface PolicyRow extends Omit<Policy, "isActive" | "lastRun"> {
  readonly isActive: number;
}

const POLICY_COLUMNS = `policy_id AS policyId, name, measurement, retention_days AS retentionDays,
  buffer_days AS bufferDays, straddling, is_active AS isActive, created_ms AS createdMs,
  updated_ms AS updatedMs`;

const RUN_COLUMNS = `run_id AS runId, policy_id AS policyId, started_ms AS startedMs,
  duration_ms AS durationMs, cutoff_ms AS cutoffMs, row_count AS rowCount,
  file_count AS fileCount, error`;

export type RetentionTables = ReturnType<typeof openRetentionTables>;

/** Statements over `store`, which is made ready on the way. */
export function openRetentionTables(store: SqlStore) {
  store.exec(SCHEMA);
  return { ...policyTable(store), ...runTable(store), ...retainedFromTable(store) };
}

function policyTable(store: SqlStore) {
  const toPolicy = (row: PolicyRow): Policy => {
    const lastRun = runTable(store).runs(row.policyId, 1)[0] ?? null;
    return { ...row, isActive: row.isActive === 1, lastRun };
  };
  return {
    /** The newest first, as in Arc. */
    policies(): Policy[] {
      const sql = `SELECT ${POLICY_COLUMNS} FROM retention_policy ORDER BY policy_id DESC`;
      return store.exec<PolicyRow>(sql).map(toPolicy);
    },
    policy(policyId: number): Policy | null {
      const sql = `SELECT ${POLICY_COLUMNS} FROM retention_policy WHERE policy_id = ?`;
      const row = store.exec<PolicyRow>(sql, policyId)[0];
      return row === undefined ? null : toPolicy(row);
    },
    policyCount(): number {
      return store.exec<{ n: number }>("SELECT count(*) AS n FROM retention_policy")[0]!.n;
    },
    policyIdOf(name: string): number | null {
      const sql = "SELECT policy_id AS policyId FROM retention_policy WHERE name = ?";
      return store.exec<{ policyId: number }>(sql, name)[0]?.policyId ?? null;
    },
    insertPolicy(fields: PolicyFields, nowMs: number): number {
      const sql = `INSERT INTO retention_policy (name, measurement, retention_days, buffer_days,
          straddling, is_active, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        RETURNING policy_id AS policyId`;
      const values = [...valuesOf(fields), nowMs, nowMs] as const;
      return store.exec<{ policyId: number }>(sql, ...values)[0]!.policyId;
    },
    updatePolicy(policyId: number, fields: PolicyFields, nowMs: number): void {
      const sql = `UPDATE retention_policy SET name = ?, measurement = ?, retention_days = ?,
        buffer_days = ?, straddling = ?, is_active = ?, updated_ms = ? WHERE policy_id = ?`;
      store.exec(sql, ...valuesOf(fields), nowMs, policyId);
    },
    deletePolicy(policyId: number): void {
      store.exec("DELETE FROM retention_policy WHERE policy_id = ?", policyId);
      store.exec("DELETE FROM retention_run WHERE policy_id = ?", policyId);
    },
  };
}

function valuesOf(fields: PolicyFields) {
  const { name, measurement, retentionDays, bufferDays, straddling, isActive } = fields;
  return [name, measurement, retentionDays, bufferDays, straddling, isActive ? 1 : 0] as const;
}

function runTable(store: SqlStore) {
  return {
    insertRun(run: Omit<PolicyRun, "runId">, countKept: number): void {
      const { policyId, startedMs, durationMs, cutoffMs, rowCount, fileCount, error } = run;
      store.exec(
        `INSERT INTO retention_run (policy_id, started_ms, duration_ms, cutoff_ms, row_count,
           file_count, error) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        policyId,
        startedMs,
        durationMs,
        cutoffMs,
        rowCount,
        fileCount,
        error,
      );
      store.exec(
        `DELETE FROM retention_run WHERE policy_id = ?1 AND run_id <= (SELECT run_id
           FROM retention_run WHERE policy_id = ?1 ORDER BY run_id DESC LIMIT 1 OFFSET ?2)`,
        policyId,
        countKept,
      );
    },
    /** Newest first. */
    runs(policyId: number, countMax: number): PolicyRun[] {
      const sql = `SELECT ${RUN_COLUMNS} FROM retention_run WHERE policy_id = ?
        ORDER BY run_id DESC LIMIT ?`;
      return store.exec<PolicyRun>(sql, policyId, countMax);
    },
  };
}

function retainedFromTable(store: SqlStore) {
  return {
    raiseRetainedFrom(tableId: number, fromMs: number): void {
      const sql = `INSERT INTO retained_from VALUES (?, ?)
        ON CONFLICT (table_id) DO UPDATE SET from_ms = max(from_ms, excluded.from_ms)`;
      store.exec(sql, tableId, fromMs);
    },
    retainedFromMs(tableId: number): number | null {
      const sql = "SELECT from_ms AS ms FROM retained_from WHERE table_id = ?";
      return store.exec<{ ms: number }>(sql, tableId)[0]?.ms ?? null;
    },
  };
}
