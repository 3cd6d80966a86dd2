// The sample telemetry must answer every question of the demo, at any time of the day.
//
// The rows are loaded into native DuckDB, which stands for the server, and "now" is put into the
// SQL, so that the test does not depend on when it runs.

import { DuckDBInstance, DuckDBTimestampTZValue, type DuckDBConnection } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";

import type { CellValue } from "../../../clients/client/columns.ts";
import { generateTelemetry } from "../../../clients/samples/generate.ts";
import { splitRows, type Measurement } from "../../../clients/samples/measurement.ts";
import { QUESTIONS } from "../../../scripts/demo/questions.ts";

const SEED = 7;
const COUNTS = { events: 20_000, metrics: 13_824, logs: 10_000, traces: 10_000 };
const NOON_MS = Date.UTC(2026, 10, 21, 12);

const TABLES: Record<string, string> = {
  system_events: `time TIMESTAMPTZ, event_type VARCHAR, event_category VARCHAR, severity VARCHAR,
    source VARCHAR, environment VARCHAR, user_id VARCHAR, resource_id VARCHAR, metadata VARCHAR,
    duration_ms BIGINT, success BOOLEAN, amount DOUBLE`,
  cpu_metrics: `time TIMESTAMPTZ, host VARCHAR, service VARCHAR, environment VARCHAR,
    value DOUBLE`,
  application_logs: `time TIMESTAMPTZ, level VARCHAR, service VARCHAR, host VARCHAR,
    message VARCHAR, trace_id VARCHAR, span_id VARCHAR`,
  distributed_traces: `time TIMESTAMPTZ, trace_id VARCHAR, span_id VARCHAR,
    parent_span_id VARCHAR, service_name VARCHAR, operation_name VARCHAR, duration_ns BIGINT,
    error BOOLEAN`,
};

describe("the generated telemetry", () => {
  for (const clock of ["00:00:30", "06:17:00", "12:00:00", "23:59:59"]) {
    test(`answers every question when it is ${clock}`, async () => {
      const baseTimeMs = Date.parse(`2026-11-21T${clock}Z`);
      const connection = await load(generateTelemetry(SEED, baseTimeMs, COUNTS));
      for (const { name, sql } of QUESTIONS) {
        const rows = await ask(connection, sql, baseTimeMs);
        expect(rows.length, name).toBeGreaterThan(0);
      }
    });
  }

  test("gives answers that mean something", async () => {
    const denser = { ...COUNTS, logs: 40_000, traces: 40_000 };
    const connection = await load(generateTelemetry(SEED, NOON_MS, denser));
    const answer = (name: string) => {
      const sql = QUESTIONS.find((question) => question.name === name)!.sql;
      return ask(connection, sql, NOON_MS);
    };

    const spikes = await answer("cpu-root-cause");
    expect(spikes.map((row) => row["event_type"])).toContain("deployment_started");

    const errors = await answer("deployment-errors");
    expect(errors.length).toBeGreaterThan(10);

    const phases = await answer("deployment-latency");
    expect(phases.map((row) => row["phase"])).toEqual([
      "after_deployment",
      "before_deployment",
      "during_deployment",
    ]);
    const [, before, during] = phases.map((row) => row["p95_latency_ms"] as number);
    expect(during).toBeGreaterThan(1.5 * before!);

    const pillars = new Set((await answer("incident-all-pillars")).map((row) => row["data_type"]));
    expect(pillars).toEqual(new Set(["event", "metric", "log", "trace"]));

    const guessed = await answer("password-guessing");
    expect(guessed.map((row) => Number(row["failed_attempts"]))).toEqual([12, 8, 6]);

    expect((await answer("daily-revenue")).length).toBeGreaterThanOrEqual(30);
    expect((await answer("incident-timeline")).length).toBeGreaterThan(10);
  });

  test("uses every event type of the four categories", () => {
    const [events] = generateTelemetry(SEED, NOON_MS, { ...COUNTS, events: 60_000 });
    const types = new Set(events!.columns["event_type"] as string[]);
    for (const type of EVENT_TYPES) expect(types, type).toContain(type);
    expect(types.size).toBe(EVENT_TYPES.length);
  });

  test("is a function of seed and time", () => {
    const first = generateTelemetry(SEED, NOON_MS, COUNTS);
    expect(generateTelemetry(SEED, NOON_MS, COUNTS)).toEqual(first);
    expect(generateTelemetry(SEED + 1, NOON_MS, COUNTS)).not.toEqual(first);
  });

  test("has the counts asked for, in order of time, and nothing of the future", () => {
    for (const { name, rowCount, columns } of generateTelemetry(SEED, NOON_MS, COUNTS)) {
      for (const values of Object.values(columns)) expect(values.length, name).toBe(rowCount);
      const times = columns["time"] as number[];
      expect(times, name).toEqual(times.toSorted((a, b) => a - b));
      expect(times.at(-1), name).toBeLessThanOrEqual(NOON_MS + 1_000);
    }
    const counts = generateTelemetry(SEED, NOON_MS, COUNTS).map(({ rowCount }) => rowCount);
    expect(counts).toEqual([COUNTS.events, COUNTS.metrics, COUNTS.logs, COUNTS.traces]);
  });

  test("takes one measurement's rows independently of another's count", () => {
    const [events] = generateTelemetry(SEED, NOON_MS, COUNTS);
    const [sameEvents] = generateTelemetry(SEED, NOON_MS, { ...COUNTS, logs: 10, traces: 40 });
    expect(sameEvents).toEqual(events);
  });
});

describe("splitRows", () => {
  test("cuts every column at the same rows and keeps the rest for the last", () => {
    const measurement = {
      name: "m",
      rowCount: 5,
      columns: { a: [1, 2, 3, 4, 5], b: Float64Array.of(1, 2, 3, 4, 5) },
    };
    expect([...splitRows(measurement, 2)]).toEqual([
      { name: "m", rowCount: 2, columns: { a: [1, 2], b: Float64Array.of(1, 2) } },
      { name: "m", rowCount: 2, columns: { a: [3, 4], b: Float64Array.of(3, 4) } },
      { name: "m", rowCount: 1, columns: { a: [5], b: Float64Array.of(5) } },
    ]);
  });
});

async function load(measurements: readonly Measurement[]): Promise<DuckDBConnection> {
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run("SET TimeZone = 'UTC'");
  for (const { name, rowCount, columns } of measurements) {
    await connection.run(`CREATE TABLE ${name} (${TABLES[name]})`);
    const appender = await connection.createAppender(name);
    const names = Object.keys(columns);
    for (let row = 0; row < rowCount; row++) {
      for (const column of names) appendValue(appender, column, columns[column]![row]!);
      appender.endRow();
    }
    appender.closeSync();
  }
  return connection;
}

type Appender = Awaited<ReturnType<DuckDBConnection["createAppender"]>>;

function appendValue(appender: Appender, column: string, value: CellValue): void {
  if (column === "time") appender.appendTimestampTZ(timestamp(value as number));
  else if (value === null) appender.appendNull();
  else if (typeof value === "string") appender.appendVarchar(value);
  else if (typeof value === "boolean") appender.appendBoolean(value);
  else if (column === "amount" || column === "value") appender.appendDouble(Number(value));
  else appender.appendBigInt(BigInt(value as number));
}

function timestamp(timeMs: number): DuckDBTimestampTZValue {
  return new DuckDBTimestampTZValue(BigInt(timeMs) * 1000n);
}

/** As the server would: the clock, and integer milliseconds added to a timestamp. */
async function ask(connection: DuckDBConnection, sql: string, nowMs: number) {
  const now = `TIMESTAMPTZ '${new Date(nowMs).toISOString()}'`;
  const adapted = sql
    .replaceAll("NOW()", now)
    .replaceAll("+ e.duration_ms", "+ to_milliseconds(e.duration_ms)");
  return (await connection.runAndReadAll(adapted)).getRowObjects();
}

const EVENT_TYPES = `
  deployment_started deployment_completed deployment_failed auto_scale_up auto_scale_down
  server_restart server_shutdown config_change certificate_renewed database_failover
  cache_invalidated user_signup user_login user_logout subscription_created
  subscription_upgraded subscription_cancelled payment_processed payment_failed refund_issued
  order_placed order_completed order_cancelled feature_flag_toggled ab_test_started
  authentication_success authentication_failed authorization_denied privilege_escalation
  rate_limit_exceeded ddos_detected api_key_created api_key_rotated api_key_revoked
  suspicious_activity account_locked background_job_started background_job_completed
  background_job_failed circuit_breaker_opened circuit_breaker_closed health_check_failed
  health_check_recovered cache_cleared queue_purged
`
  .trim()
  .split(/\s+/);
