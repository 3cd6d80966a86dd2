// SQL over a database with rows in its tail and rows in files: what is answered, and what is read.

import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { engineModule } from "../../helpers/duckdb-wasm.ts";
import { QueryWorld } from "../../helpers/query-world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 0, 1, 12);

let world: QueryWorld;
beforeEach(async () => {
  world = new QueryWorld("default", "events", "secret");
  await world.open(engineModule());
});

describe("rows", () => {
  test("of the tail and of files are one table, also in the moment between commit and release", async () => {
    const database = world.get();
    database.append("cpu", { time: [NOON, NOON + 1], host: ["a", "b"], v: [1, 2] });
    const sql = "SELECT count(*) AS n, sum(v) AS s, max(time) AS t FROM cpu";
    const tail = await world.query(sql);
    expect(tail.data).toEqual([[2, 3, "2026-01-01T12:00:00.001Z"]]);
    await database.commit();
    expect((await world.query(sql)).data).toEqual(tail.data);
    await database.flush();
    expect((await world.query(sql)).data).toEqual(tail.data);
    database.append("cpu", { time: [NOON + DAY], host: ["c"], v: [4] });
    const both = await world.query("SELECT host, v FROM cpu ORDER BY time");
    expect(both.data).toEqual([["a", 1], ["b", 2], ["c", 4]]);
    expect(both.cost).toMatchObject({ files_considered: 1, files_read: 1, tail_rows: 1 });
    console.log(JSON.stringify(both));
  });
});
