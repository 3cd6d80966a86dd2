import { describe, expect, test } from "vitest";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { pillarOf, pillarTables } from "#lib/correlate/pillars.ts";
import { TABLES } from "../../../clients/recording/tables.ts";
import { generateTelemetry } from "../../../clients/samples/generate.ts";
import { refusalOf } from "../../helpers/refusal.ts";
import { SEED_TYPES } from "../../helpers/seed-telemetry.ts";

const TYPES: Record<string, ColumnType> = {
  TIMESTAMP: "timestamp",
  VARCHAR: "utf8",
  BIGINT: "int64",
  DOUBLE: "float64",
  BOOLEAN: "bool",
  text: "utf8",
  real: "float64",
};

function schema(measurement: string, columns: Record<string, string>): TableSchema {
  const list = Object.entries({ time: "timestamp", ...columns });
  return {
    tableId: 1,
    measurement,
    schemaVersion: 1,
    columns: list.map(([name, type]) => ({
      name,
      type: TYPES[type] ?? (type as ColumnType),
      takesNumbers: false,
    })),
  };
}

/** Roles beside the pillar: what says what it was, how bad it was, and how much. */
function rolesOf(table: TableSchema) {
  const found = pillarOf(table);
  if (found === null) return null;
  const { pillar, detail, severity, value, perMs, error } = found;
  return [pillar, detail, severity, value, ...(error === null ? [] : [error.name, perMs])];
}

describe("a measurement's pillar", () => {
  test.each([
    ["system_events", ["events", "event_type", "severity", null]],
    ["cpu_metrics", ["metrics", null, null, "value"]],
    ["application_logs", ["logs", "message", "level", null]],
    ["distributed_traces", ["traces", "operation_name", null, "duration_ns", "error", 1_000_000]],
  ])("is found for %s of the load tester's document", (name, roles) => {
    expect(rolesOf(schema(name, SEED_TYPES[name]!))).toEqual(roles);
  });

  test("is found for each sample measurement as it is generated", () => {
    const counts = { events: 10, metrics: 10, logs: 10, traces: 10 };
    const sample = generateTelemetry(1, Date.UTC(2026, 0, 1), counts);
    const typeOf = (value: unknown) =>
      typeof value === "string" ? "utf8" : typeof value === "boolean" ? "bool" : "float64";
    const found = sample.map(({ name, columns }) => {
      const types = Object.entries(columns).map(([column, values]) => [
        column,
        column === "time" ? "timestamp" : typeOf(values[0]),
      ]);
      const table = pillarOf(schema(name, Object.fromEntries(types) as Record<string, string>));
      return [name, table?.pillar, table?.traceId];
    });
    expect(found.toSorted()).toEqual([
      ["application_logs", "logs", "trace_id"],
      ["cpu_metrics", "metrics", null],
      ["distributed_traces", "traces", "trace_id"],
      ["system_events", "events", null],
    ]);
  });

  test.each([
    ["telemetry_events", ["events", "type", null, null], "trace_id"],
    ["telemetry_metrics", ["metrics", "name", null, "value"], "trace_id"],
    ["telemetry_spans", ["traces", "name", null, "duration", "status", 0.001], "trace_id"],
  ] as const)("is found for %s of the telemetry reference", (name, roles, traceId) => {
    const table = schema(name, TABLES[name]);
    expect(rolesOf(table)).toEqual(roles);
    expect(pillarOf(table)?.traceId).toBe(traceId);
  });

  test("is events for tagged events, whose tags are known", () => {
    const columns = { id: "utf8", seq: "int64", type: "utf8", tags: "utf8", value: "utf8" };
    const table = schema("tagged_events", columns);
    expect(rolesOf(table)).toEqual(["events", "type", null, null]);
    expect(pillarOf(table)?.tags).toBe("tags");
  });

  test.each([
    ["observations", { name: "utf8", labels: "utf8", value: "float64" }, "name", "value"],
    ["net", { host: "utf8", bytes: "int64", drops: "int64" }, null, "bytes"],
    ["mem", { host: "utf8", value: "utf8", Used: "float64" }, null, "Used"],
  ])("is metrics for %s, by its first number", (name, columns, detail, value) => {
    expect(rolesOf(schema(name, columns as Record<string, string>))).toEqual([
      "metrics",
      detail,
      null,
      value,
    ]);
  });

  test("is none without anything that tells", () => {
    expect(pillarOf(schema("notes", { text: "utf8", done: "bool" }))).toBeNull();
    expect(pillarOf(schema("counted", { seq: "int64" }))).toBeNull();
  });

  test("is looked for in all measurements, up to so many, or in those that are named", () => {
    const limit = LIMITS.correlateMeasurementsMax;
    const many = Array.from({ length: limit }, (_, i) => schema(`m${i}`, { value: "float64" }));
    const schemas = [...many, schema("notes", { text: "utf8" })];
    expect(pillarTables(schemas, null)).toHaveLength(limit);
    expect(pillarTables(schemas, ["m3", "notes", "m3"])).toMatchObject([{ measurement: "m3" }]);
    expect(refusalOf(() => pillarTables(schemas, ["nothing"])).code).toBe("measurement_unknown");
    const more = [...schemas, schema("more", { value: "float64" })];
    expect(refusalOf(() => pillarTables(more, null))).toMatchObject({
      code: "query_too_large",
      detail: { limit },
    });
  });

  test("is told by names in any case", () => {
    const table = schema("Logs", { Level: "utf8", MESSAGE: "utf8" });
    expect(rolesOf(table)).toEqual(["logs", "MESSAGE", "Level", null]);
  });
});
