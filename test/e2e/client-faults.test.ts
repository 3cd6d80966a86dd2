// The client against a network and a server that fail: whatever was recorded is stored once.

import { afterAll, beforeAll, expect, test } from "vitest";
import { SluiceClient } from "../../clients/client/client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { FaultyProxy } from "../clients/client/faulty-proxy.ts";
import type { Fault } from "../clients/client/faulty-proxy.ts";

const stack = new Stack();
const random = seededRandom(20261122);
let faults: readonly Fault[] = [];
/** Of the faults; then all goes well. */
let requestsLeft = Number.POSITIVE_INFINITY;
let proxy: FaultyProxy;

beforeAll(async () => {
  await stack.start();
  const decide = () =>
    --requestsLeft < 0 ? "none" : (faults[Math.floor(random() * faults.length)] ?? "none");
  proxy = await FaultyProxy.open(() => stack.url, decide);
}, 120_000);

afterAll(async () => {
  proxy.close();
  await stack.remove();
});

function clientOf(options: object = {}): SluiceClient {
  const heard = () => {};
  return new SluiceClient({ url: proxy.url, token: ADMIN_TOKEN, onError: heard, ...options });
}

interface Tally {
  readonly rows: number;
  readonly ids: number;
  readonly sum: number;
}

async function tallyOf(client: SluiceClient, table: string): Promise<Tally> {
  const sql = `SELECT count(*) AS rows, count(DISTINCT id) AS ids, sum(id) AS sum FROM ${table}`;
  return (await client.query<Tally>(sql))[0]!;
}

function sumTo(count: number): number {
  return (count * (count - 1)) / 2;
}

test("every row is stored once through refused, busy and cut connections and a killed server", async () => {
  const client = clientOf({ batchRowsMax: 100 });
  faults = ["none", "none", "refuse", "busy", "cut", "cut"];
  requestsLeft = 120;
  for (let id = 0; id < 6_000; id++) {
    await client.write(id % 3 === 0 ? "often" : "seldom", { id, name: `n${id}` });
    if (id === 3_000) await stack.restart();
  }
  await client.flush();
  faults = [];
  requestsLeft = Number.POSITIVE_INFINITY;

  const ids = Array.from({ length: 6_000 }, (_, id) => id);
  const often = ids.filter((id) => id % 3 === 0);
  const sum = often.reduce((total, id) => total + id, 0);
  expect(await tallyOf(client, "often")).toEqual({ rows: 2_000, ids: 2_000, sum });
  expect(await tallyOf(client, "seldom")).toEqual({
    rows: 4_000,
    ids: 4_000,
    sum: sumTo(6_000) - sum,
  });
  // None of the faults was left out.
  expect(Math.min(...Object.values(proxy.counts))).toBeGreaterThan(0);
  await client.close();
}, 120_000);

test("columns, cut after each commit until the third try, are stored once", async () => {
  const client = clientOf({ batchRowsMax: 500 });
  let tries = 0;
  faults = [];
  const decided = await FaultyProxy.open(
    () => stack.url,
    () => (++tries % 3 === 0 ? "none" : "cut"),
  );
  const cut = new SluiceClient({ url: decided.url, token: ADMIN_TOKEN, batchRowsMax: 500 });
  await cut.writeColumns("columns", { id: Float64Array.from({ length: 1_000 }, (_, id) => id) });
  await cut.close();
  decided.close();
  expect(decided.counts.cut).toBeGreaterThanOrEqual(2);
  expect(await tallyOf(client, "columns")).toEqual({ rows: 1_000, ids: 1_000, sum: sumTo(1_000) });
}, 60_000);

test("a batch that is refused is named, and those beside it are stored", async () => {
  faults = ["none", "refuse", "cut"];
  const heard: Error[] = [];
  const client = clientOf({ onError: (error: Error) => heard.push(error) });
  await client.write("typed", { id: 0, level: 1 });
  await client.flush();
  await client.write("typed", [
    { id: 1, level: true },
    { id: 2, level: false },
  ]);
  await client.write("other", { id: 3 });
  const refused = {
    measurement: "typed",
    database: "default",
    code: "column_type_conflict",
    status: 422,
    rowCount: 2,
    key: expect.stringMatching(/^[0-9a-f]{32}$/),
  };
  await expect(client.flush()).rejects.toMatchObject({
    name: "SluiceFlushError",
    batches: [refused],
  });
  expect(heard).toMatchObject([refused]);
  // Told once; and nothing else is lost by it.
  await client.flush();
  faults = [];
  expect(await tallyOf(client, "typed")).toMatchObject({ rows: 1 });
  expect(await tallyOf(client, "other")).toMatchObject({ rows: 1 });
  await client.close();
}, 60_000);

test("without a server the time for retries ends, and the batch is named as unanswered", async () => {
  faults = ["refuse"];
  const client = clientOf({ retryForMs: 300 });
  await client.write("lost", { id: 1 });
  await expect(client.flush()).rejects.toMatchObject({
    batches: [{ measurement: "lost", code: "unanswered", status: null, rowCount: 1 }],
  });
  faults = [];
}, 30_000);

test("closing with a deadline ends the tries and names what is not stored", async () => {
  faults = ["busy"];
  const client = clientOf();
  await client.write("late", [{ id: 1 }, { id: 2 }]);
  const closing = client.close({ signal: AbortSignal.timeout(200) });
  await expect(closing).rejects.toMatchObject({
    batches: [{ measurement: "late", code: "unanswered", rowCount: 2 }],
  });
  await expect(client.write("late", { id: 3 })).rejects.toMatchObject({ code: "client_closed" });
  faults = [];
}, 30_000);
