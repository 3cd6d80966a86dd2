// The queries of "Events Ingestion with Arc", verbatim, held against native DuckDB over the same
// rows: once with all rows in the tail, once in files, once with some here and some there.

import { readFileSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { comparable, NativeTables } from "../../helpers/native-answers.ts";
import { type Columns, QueryWorld } from "../../helpers/query-world.ts";
import { SEED_TYPES, seedTelemetry } from "../../helpers/seed-telemetry.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

const FOLDER = "scripts/demo/sql";
const QUERIES = readdirSync(FOLDER).map((name) => ({
  name,
  sql: readFileSync(`${FOLDER}/${name}`, "utf8"),
}));

const content = seedTelemetry(Date.now());
let native: NativeTables;
beforeAll(async () => {
  native = await NativeTables.open();
  for (const [table, columns] of Object.entries(content)) {
    await native.append(table, SEED_TYPES[table]!, columns);
  }
});
afterAll(() => native.close());

/** Of each column the rows `[from, to)`. */
function part(columns: Columns, from: number, to: number): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, all]) => [name, all.slice(from, to)]),
  );
}

async function worldOf(flushes: "none" | "all" | "half"): Promise<QueryWorld> {
  const world = new QueryWorld("default");
  await world.open(engineModules());
  for (const [table, columns] of Object.entries(content)) {
    const rowCount = columns["time"]!.length;
    for (let from = 0; from < rowCount; from += 90) {
      world.get().append(table, part(columns, from, from + 90));
      if (flushes === "half" && from % 180 === 0) await world.get().flush();
    }
  }
  if (flushes === "all") await world.get().flush();
  return world;
}

describe.each(["none", "all", "half"] as const)("with %s of the rows flushed", (flushes) => {
  let world: QueryWorld;
  beforeAll(async () => {
    world = await worldOf(flushes);
  });

  test.each(QUERIES)("$name", async ({ sql }) => {
    const answer = await world.query(sql);
    expect(answer["error"]).toBeUndefined();
    const writtenOut = sql.replaceAll("e.duration_ms", "to_milliseconds(e.duration_ms)");
    const expected = await native.query(writtenOut);
    expect(expected.length).toBeGreaterThan(0);
    expect(comparable(answer.data)).toEqual(comparable(expected));
  });
});
