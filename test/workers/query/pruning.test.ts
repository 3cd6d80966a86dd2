// Files that are left out by what the catalog knows of them: never a row too few, and few files
// where few are needed.

import fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { comparable } from "../../helpers/native-answers.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import { QueryWorld } from "../../helpers/query-world.ts";
import { anyFiles, anyPrunableQuery, writeFiles } from "../../helpers/random-condition.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

let world: QueryWorld;
beforeAll(async () => {
  world = new QueryWorld("default");
  await world.open(engineModules());
});

/** Through a LIMIT nothing is known of the rows. */
const unpruned = (table: string) => `(SELECT * FROM ${table} LIMIT 1000000)`;

test(
  "a query gives what a full scan gives, whatever it asks of which columns",
  async () => {
    let pruned = 0;
    const queries = fc.array(anyPrunableQuery, { minLength: 10, maxLength: 10 });
    const property = fc.asyncProperty(anyFiles, anyFiles, queries, async (l, r, shapes) => {
      const fresh = new QueryWorld("default");
      fresh.openLike(world);
      await writeFiles(fresh.get(), "l", l);
      await writeFiles(fresh.get(), "r", r);
      for (const shape of shapes) {
        const of = (place: (table: string) => string) =>
          shape.replaceAll("{l}", place("l")).replaceAll("{r}", place("r"));
        const answer = await fresh.query(of((table) => table));
        const full = await fresh.query(of(unpruned));
        expect(answer["code"], shape).toEqual(full["code"]);
        expect(comparable(answer.data ?? []), shape).toEqual(comparable(full.data ?? []));
        pruned += answer.cost?.["files_pruned_by_statistics"] ?? 0;
        expect(full.cost?.["files_pruned_by_statistics"] ?? 0).toBe(0);
      }
    });
    const { numRuns = 100, ...parameters } = propertyRuns<[unknown, unknown, unknown]>(100);
    // Ten queries each time.
    await fc.assert(property, {
      ...(parameters as object),
      numRuns: Math.ceil(numRuns / 10),
      endOnFailure: true,
    });
    expect(pruned).toBeGreaterThan(0);
  },
  PROPERTY_TIMEOUT_MS,
);
