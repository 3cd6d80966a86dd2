// Recording and asking with Sluice as the back-end, on the whole stack: the same tests that the
// embedded one passes, and the analyses as SQL over the measurements.

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TelemetryManager } from "../../clients/recording/index.ts";
import { SluiceClient } from "../../clients/client/client.ts";
import * as recipes from "../clients/recording/recipes.ts";
import { bothBackEnds } from "../clients/recording/both-back-ends.ts";
import { recordLastHour } from "../clients/recording/samples-asking.ts";
import { sameAnswers } from "../clients/recording/same-answers.ts";
import { sluiceStage, sqliteStage } from "../clients/recording/stage.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack();
const stage = sluiceStage(() => stack.url, ADMIN_TOKEN);
const embedded = sqliteStage();

beforeAll(() => stack.start());
afterAll(() => {
  embedded.remove();
  return stack.remove();
});

bothBackEnds(stage);
sameAnswers([stage, embedded], 25);

describe("the analyses as SQL over the measurements", () => {
  let manager: TelemetryManager;
  let client: SluiceClient;

  beforeAll(async () => {
    const config = stage.fresh();
    manager = new TelemetryManager(config);
    recordLastHour(manager);
    await manager.flush();
    const { database } = config.place as { database: string };
    client = new SluiceClient({ url: stack.url, token: ADMIN_TOKEN, database });
  });

  const metrics = (name: string) => manager.queryMetrics({ name });

  test("count requests by minute", async () => {
    const rows = await client.query<{ minute: string; requests: number }>(
      recipes.REQUESTS_PER_MINUTE,
    );
    const found = rows.map((row) => [new Date(row.minute).toISOString(), row.requests]);
    expect(found).toEqual([...recipes.requestsPerMinute(await metrics("requests_total"))]);
    expect(found).toHaveLength(20);
  });

  test("average by five minutes", async () => {
    const rows = await client.query<{ bucket: string; average: number }>(
      recipes.FIVE_MINUTE_AVERAGES,
    );
    const found = rows.map((row) => [new Date(row.bucket).toISOString(), row.average]);
    expect(found).toEqual(recipes.fiveMinuteAverages(await metrics("cpu_percent")));
  });

  test("find percentiles, and count, least, greatest and mean", async () => {
    const latencies = await metrics("operation_latency");
    const rows = await client.query<{ p: number; value: number }>(recipes.LATENCY_PERCENTILES);
    expect(rows.map(({ p, value }) => [p, value])).toEqual(
      [50, 95, 99].map((percent) => [percent, recipes.percentile(latencies, percent)]),
    );
    const [found] = await client.query<{ avg: number }>(recipes.LATENCY_STATISTICS);
    const { avg, ...exact } = recipes.statistics(latencies);
    expect(found).toMatchObject(exact);
    expect(found!.avg).toBeCloseTo(avg, 12);
  });

  test("rate caches by node", async () => {
    const rows = await client.query<{
      node: string;
      hits: number;
      misses: number;
      hit_rate: number;
    }>(recipes.CACHE_HIT_RATES);
    const found = rows.map(({ node, hits, misses, hit_rate: hitRate }) => [
      node,
      { hits, misses, hitRate },
    ]);
    expect(Object.fromEntries(found)).toEqual(
      recipes.cacheHitRates(await metrics("cache_hits"), await metrics("cache_misses")),
    );
  });

  test("find traces with incomplete checkpoints", async () => {
    const rows = await client.query<{ trace_id: string; missing: string[] }>(
      recipes.INCOMPLETE_CHECKPOINTS,
    );
    const checkpoints = await manager.queryEvents({ eventType: "checkpoint" });
    expect(Object.fromEntries(rows.map((row) => [row.trace_id, row.missing]))).toEqual(
      recipes.incompleteCheckpoints(checkpoints),
    );
  });

  test("sum costs by model", async () => {
    const rows = await client.query<{ model: string; dollars: number }>(recipes.COST_BY_MODEL);
    expect(Object.fromEntries(rows.map((row) => [row.model, row.dollars]))).toEqual(
      recipes.costByModel(await metrics("llm_api_cost")),
    );
  });
});

test("the SQL of docs/telemetry.md runs and finds rows", async () => {
  const config = stage.fresh();
  const manager = new TelemetryManager(config);
  recordLastHour(manager);
  const attributes = { agent: "Agent", model: "small-1" };
  manager.recordMetric({ name: "llm_api_cost", value: 2, attributes });
  await manager.shutdown();
  const { database } = config.place as { database: string };
  const client = new SluiceClient({ url: stack.url, token: ADMIN_TOKEN, database });
  const document = readFileSync(new URL("../../docs/telemetry.md", import.meta.url), "utf8");
  const statements = /```sql\n([^`]+)```/.exec(document)![1]!.trim().split(/;\n*/).filter(Boolean);
  const answers = statements.map((sql) => client.query(sql));
  const [averages, rates, costs] = await Promise.all(answers);
  expect(averages!.map((row) => row["average"])).toEqual([4.5, 14.5, 24.5, 34.5]);
  expect(rates!.map((row) => row["hit_rate"]).toSorted()).toEqual([10 / 14, 10 / 13, 10 / 13]);
  expect(costs).toEqual([{ model: "small-1", dollars: 2 }]);
});

test("what is recorded while the server is killed and started again is there once", async () => {
  const manager = new TelemetryManager(stage.fresh({ batchAgeMaxMs: 20 }));
  let isUp = false;
  const restarted = stack.restart().then(() => (isUp = true));
  let count = 0;
  for (; !isUp || count % 100 > 0; count++) {
    manager.recordEvent({ eventType: "custom", attributes: { i: count } });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await restarted;
  await manager.flush();
  const events = (await manager.queryEvents()).toReversed();
  expect(events.map((event) => event.attributes["i"])).toEqual([...Array(count).keys()]);
  expect(manager.stats()).toEqual({ recorded: count, written: count, sampledOut: 0, dropped: 0 });
  await manager.shutdown();
});
