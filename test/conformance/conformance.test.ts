// Sluice's SQL against native DuckDB: the same rows in both, the same queries (queries/*.sql), the
// same answers, wherever the rows lie. Sluice's side is the query Worker's own code with its
// engine.
//
// What differs is listed with its reason in differences.ts, and only there.

import type { DuckDBConnection } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineModules } from "../helpers/duckdb-wasm.ts";
import type { QueryWorld } from "../helpers/query-world.ts";
import { type Disagreement, disagreement } from "./agreement.ts";
import { seededTables } from "./data.ts";
import { DIFFERENCES, differencesDocument } from "./differences.ts";
import { askNative, askSluice, LAYOUTS, type Layout, seedNative, seedSluice } from "./engines.ts";
import { type Query, readQueries } from "./queries.ts";

const QUERIES = readQueries();
const LISTED = new Set(DIFFERENCES.flatMap(({ queries }) => queries));

const worlds = new Map<Layout, QueryWorld>();
let native: DuckDBConnection;

beforeAll(async () => {
  const tables = seededTables();
  native = await seedNative(tables);
  for (const layout of LAYOUTS) worlds.set(layout, await seedSluice(tables, layout));
  const [first, ...others] = worlds.values();
  await first!.open(engineModules());
  for (const world of others) world.openLike(first!);
});

afterAll(() => native.closeSync());

async function disagreements(query: Query): Promise<Map<Layout, Disagreement | null>> {
  const expected = await askNative(native, query.nativeSql);
  const found = new Map<Layout, Disagreement | null>();
  for (const [layout, world] of worlds) {
    found.set(layout, disagreement(query, await askSluice(world, query.sql), expected));
  }
  return found;
}

describe("Sluice and DuckDB agree on", () => {
  test.each(QUERIES.filter(({ name }) => !LISTED.has(name)))("$name", async (query) => {
    for (const [layout, found] of await disagreements(query)) {
      if (found === null) continue;
      const { sluice, native: expected } = found;
      const place = `${query.file}, ${query.name}, with the rows ${layout}`;
      expect.fail(`${place}\n${query.sql}\nSluice: ${sluice}\nDuckDB: ${expected}`);
    }
  });
});

describe("the listed differences", () => {
  const shown = new Map<string, Disagreement>();

  test.each([...LISTED])("still has %s", async (name) => {
    const query = QUERIES.find((one) => one.name === name);
    expect(query, `a query named ${name}`).toBeDefined();
    for (const [layout, found] of await disagreements(query!)) {
      expect(found, `${name} agrees now, with the rows ${layout}: take it off`).not.toBeNull();
      shown.set(name, found!);
    }
  });

  test("are what docs/differences.md shows (vitest run test/conformance -u writes it)", async () => {
    const document = differencesDocument(QUERIES, shown);
    await expect(document).toMatchFileSnapshot("../../docs/differences.md");
  });
});

test("there are enough queries, each with a name of its own", () => {
  expect(new Set(QUERIES.map(({ name }) => name)).size).toBe(QUERIES.length);
  expect(QUERIES.length).toBeGreaterThanOrEqual(400);
});
