// Batches for load: distinct, realistic, and their checksums the same in SQL.

import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, test } from "vitest";

import { checksumsOf } from "../../../clients/cli/load/checksums.ts";
import { generateLoadBatch, PILLARS, type Pillar } from "../../../clients/samples/load-batches.ts";

const START_MS = Date.UTC(2026, 10, 22);
const TYPES: Record<string, string> = { number: "BIGINT", string: "VARCHAR", boolean: "BOOLEAN" };

describe.each([...PILLARS])("a batch of %s", (pillar) => {
  test("has the rows asked for, within its times, and is a function of its arguments", () => {
    const { rowCount, columns } = batch(pillar, 1, 0, 5_000);
    expect(rowCount).toBe(5_000);
    for (const values of Object.values(columns)) expect(values).toHaveLength(5_000);
    const times = columns["time"] as number[];
    expect(Math.min(...times)).toBeGreaterThanOrEqual(START_MS);
    expect(times[0]).toBeLessThan(START_MS + 100);
    expect(batch(pillar, 1, 0, 5_000).columns).toEqual(columns);
  });

  test("is like no other batch, of this seed or the next one", () => {
    const bodies = [1, 2].flatMap((seed) =>
      [0, 1, 2].map((index) => JSON.stringify(batch(pillar, seed, index, 100).columns)),
    );
    expect(new Set(bodies).size).toBe(bodies.length);
  });

  test("has in SQL the sums that were made in JavaScript", async () => {
    const { columns } = batch(pillar, 3, 1, 500);
    const names = Object.keys(columns);
    const typeOf = (name: string) => {
      if (name === "time") return "TIMESTAMP";
      const values = columns[name]!;
      if (values instanceof Float64Array) return "DOUBLE";
      return TYPES[typeof (values as unknown[]).find((value) => value !== null)];
    };
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(
      `CREATE TABLE t (${names.map((name) => `"${name}" ${typeOf(name)}`).join()})`,
    );
    const literals = Array.from({ length: 500 }, (_, row) =>
      names.map((name) => literal(name, columns[name]![row])).join(),
    );
    await connection.run(`INSERT INTO t VALUES ${literals.map((row) => `(${row})`).join()}`);
    const checksums = checksumsOf(columns);
    const sql = Object.values(checksums).map((checksum) => checksum.sql);
    const found = await connection.runAndReadAll(`SELECT ${sql.join()} FROM t`);
    const sums = Object.values(checksums).map(({ sum }) => String(sum));
    expect(found.getRows()[0]).toEqual(sums);
    expect(sums.every((sum) => sum === "0")).toBe(false);
  });
});

describe("events of load", () => {
  test("are of all four categories, with JSON metadata, durations and amounts", () => {
    const { columns } = batch("events", 1, 0, 5_000);
    expect(new Set(columns["event_category"] as string[])).toEqual(
      new Set(["infrastructure", "business", "security", "application"]),
    );
    const metadata = (columns["metadata"] as string[]).map((text) => JSON.parse(text) as object);
    expect(metadata.some((value) => "payment_method" in value)).toBe(true);
    expect((columns["duration_ms"] as number[]).some((ms) => ms > 1_000)).toBe(true);
    expect([...(columns["amount"] as Float64Array)].some((amount) => amount > 10)).toBe(true);
    expect(columns["event_type"]).toContain("deployment_started");
    expect(columns["success"]).toContain(false);
  });
});

function batch(pillar: Pillar, seed: number, index: number, rowCount: number) {
  const startMs = START_MS + index * 100;
  return generateLoadBatch(pillar, { seed, index, startMs, endMs: startMs + 100, rowCount });
}

function literal(name: string, value: unknown): string {
  if (value === null) return "NULL";
  if (name === "time") return `make_timestamp_ms(${Number(value)})`;
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}
