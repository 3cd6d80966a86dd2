// A query that outlives the files of its snapshot is told so, and never reads others.

import { beforeAll, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import type { SnapshotRequest } from "#lib/catalog/types.ts";
import { engineModules } from "../../helpers/duckdb-wasm.ts";
import { QueryWorld } from "../../helpers/query-world.ts";

const world = new QueryWorld("default");
const database = world.get();
const SQL = "SELECT sum(v) FROM cpu";

beforeAll(async () => {
  await world.open(engineModules());
  database.append("cpu", { time: [1_750_000_000_000, 1_750_000_000_001], v: [1, 2] });
  await database.flush();
  // From here on the id of the table is known, and one snapshot is enough.
  await world.query(SQL);
});

/** `happens` between the query's snapshot and its first read. */
async function queryAcross(happens: () => Promise<void> | void) {
  const { snapshot } = database;
  database.snapshot = async (request: SnapshotRequest) => {
    const taken = await snapshot(request);
    await happens();
    return taken;
  };
  const answer = await world.query(SQL);
  database.snapshot = snapshot;
  return answer;
}

function dropAllFiles(): void {
  const removes = database.catalog.liveFiles(1).map(({ fileId }) => fileId);
  database.store.transact(() => {
    database.catalog.replaceFiles({ removes, adds: [], changed: [] });
  });
}

test("files that were replaced are there until the grace period ends", async () => {
  database.append("cpu", { time: [1_750_000_000_002], v: [4] });
  await database.flush();
  const answer = await queryAcross(async () => {
    dropAllFiles();
    world.clock.advance(LIMITS.replacedGraceMs - 1);
    await database.catalog.collectGarbage();
  });
  expect(answer).toMatchObject({ status: 200, data: [[7]] });
  expect((await world.query(SQL)).data).toEqual([[null]]);
});

test("a query that is still reading then is refused, and may be sent again", async () => {
  database.append("cpu", { time: [1_750_000_000_003], v: [8] });
  await database.flush();
  const answer = await queryAcross(async () => {
    dropAllFiles();
    world.clock.advance(LIMITS.replacedGraceMs + 1);
    await database.catalog.collectGarbage();
  });
  expect(answer).toMatchObject({ status: 503, code: "snapshot_expired" });
});

test("an object that the catalog still names and that is gone is a loss", async () => {
  database.append("cpu", { time: [1_750_000_000_004], v: [16] });
  await database.flush();
  const answer = await queryAcross(() => world.lake.objects.clear());
  expect(answer).toMatchObject({ status: 500, code: "object_missing" });
});
