// Joins of a table by range with a CTE of a few rows: within the engine's memory, and the same rows
// as the engine gives when it puts the CTE in its place.

import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { comparable } from "../../helpers/native-answers.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import { QueryWorld } from "../../helpers/query-world.ts";
import { anyTimeMs, MIDDLE_MS } from "../../helpers/random-predicate.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

/** The same rows, but how many is no longer seen. */
const inPlace = (cte: string): string => `SELECT small.* FROM (${cte}) AS small, range(1)`;

let world: QueryWorld;
beforeAll(async () => {
  world = new QueryWorld("default");
  await world.open(engineModules());
});

describe("of many rows", () => {
  const ROWS = 600_000;
  const PER_BATCH = 200_000;
  const MINUTES = 10;
  beforeAll(async () => {
    for (let start = 0; start < ROWS; start += PER_BATCH) {
      const rows = Array.from({ length: PER_BATCH }, (_, i) => start + i);
      world.get().append("events", {
        time: rows.map((i) => MIDDLE_MS + i * 1_000),
        kind: rows.map((i) => `kind ${i % 1_000}`),
        text: rows.map((i) => `what happened in event ${i}`),
      });
      await world.get().flush();
    }
  });

  const LAST = `SELECT time, time + INTERVAL '${MINUTES} minutes' AS end_time
    FROM events WHERE kind = 'kind 7' ORDER BY time DESC LIMIT 1`;
  const around = (cte: string, from: string) => `WITH incident AS (${cte})
    SELECT count(*), max(e.text), max(e.kind), max(e.time) IS NULL FROM ${from}
    WHERE e.time BETWEEN i.time - INTERVAL '${MINUTES} minutes' AND i.end_time`;

  test.each(["events e, incident i", "incident i, events e", "events e JOIN incident i ON true"])(
    "FROM %s",
    async (from) => {
      const answer = await world.query(around(LAST, from));
      const seconds = 2 * MINUTES * 60 + 1;
      expect(answer.data).toEqual([[seconds, "what happened in event 599607", "kind 999", false]]);
    },
  );

  test("is more than the engine can hold when the CTE is put in its place", async () => {
    const answer = await world.query(around(inPlace(LAST), "events e, incident i"));
    expect(answer).toMatchObject({ status: 422, code: "query_out_of_memory" });
  });
});

describe("of any rows", () => {
  const time = fc.option(anyTimeMs, { freq: 5 });
  const row = fc.tuple(anyTimeMs, time, fc.integer({ min: 0, max: 4 }));
  const content = fc.array(row, { minLength: 1, maxLength: 12 });

  const anyCte = fc.constantFrom(
    "SELECT time, until, v FROM i WHERE v > 1 ORDER BY time, until, v LIMIT 3",
    "SELECT time, until, v FROM i WHERE v > 9 LIMIT 1",
    "SELECT min(time) AS time, max(until) AS until, any_value(v) AS v FROM i WHERE v = 2",
    "(SELECT time, until, v FROM i ORDER BY ALL LIMIT 1) UNION ALL (SELECT max(time), NULL, 1 FROM i)",
    "SELECT * FROM (SELECT time, until, v FROM i ORDER BY ALL LIMIT 5) WHERE until IS NULL OR v < 4",
  );
  const anyJoin = fc.constantFrom(
    "x, c",
    "c, x",
    "x JOIN c ON true",
    "x LEFT JOIN c ON x.v >= c.v",
    "c LEFT JOIN x ON x.time < c.until",
    "x FULL JOIN c ON x.v = c.v",
    "x, c, c AS d",
  );
  const anyCondition = fc.constantFrom(
    "x.time BETWEEN c.time - INTERVAL '2 days' AND c.until",
    "x.time >= c.time",
    "c.until > x.time AND x.time > c.time - INTERVAL '1 day'",
    "NOT x.time BETWEEN c.time AND c.until",
    "x.v = c.v OR x.time < c.time",
    "x.time = c.time",
    "(SELECT count(*) FROM x AS y, c AS z WHERE y.time > z.time AND y.v = x.v) > 1",
    "true",
  );
  const anyShape = fc.constantFrom(
    (select: string) => select,
    (select: string) => `${select} UNION ALL SELECT x.time, x.v, NULL, NULL FROM x, c`,
    (select: string) => `SELECT * FROM (${select}) ORDER BY ALL LIMIT 100000`,
  );

  test(
    "gives what it gives with the CTE put in its place",
    async () => {
      const property = fc.asyncProperty(
        fc.record({
          x: content,
          i: content,
          cte: anyCte,
          from: anyJoin,
          where: anyCondition,
          shape: anyShape,
        }),
        async ({ x, i, cte, from, where, shape }) => {
          const fresh = new QueryWorld("default");
          fresh.openLike(world);
          for (const [name, cells] of Object.entries({ x, i })) {
            // A column of nothing but nulls has no type yet, and would not compare with a time.
            const until = cells.map(([, ms]) => (ms === null ? null : new Date(ms)));
            fresh.get().append(name, {
              time: cells.map(([ms]) => ms),
              until: [...until.slice(1), new Date(MIDDLE_MS)],
              v: cells.map(([, , v]) => v),
            });
          }
          const body = shape(`SELECT x.time, x.v, c.time, c.until FROM ${from} WHERE ${where}`);
          const once = await fresh.query(`WITH c AS (${cte}) ${body}`);
          const often = await fresh.query(`WITH c AS (${inPlace(cte)}) ${body}`);
          expect([once["error"], often["error"]]).toEqual([undefined, undefined]);
          expect(comparable(once.data)).toEqual(comparable(often.data));
        },
      );
      await fc.assert(property, propertyRuns(100));
    },
    PROPERTY_TIMEOUT_MS,
  );
});
