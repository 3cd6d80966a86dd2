// What both back-ends must answer, registered for the one that a test file opens.

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { AGGREGATIONS } from "../../../clients/event-metrics/aggregate.ts";
import { type MetricConnection, Units } from "../../../clients/event-metrics/metric-connection.ts";
import type { Labels } from "../../../clients/event-metrics/series.ts";
import { propertyRuns, PROPERTY_TIMEOUT_MS } from "../../helpers/property.ts";
import {
  oracleBuckets,
  oraclePercentile,
  oraclePoints,
  oracleScalar,
  oracleSeries,
} from "./oracle.ts";
import type { RecordedPoint } from "./oracle.ts";

const DAY_MS = Date.UTC(2026, 0, 1);

/** `open` gives a connection to a place of its own, empty. */
export function describeAnswers(open: () => Promise<MetricConnection>, runs: number): void {
  describe("the library's own example", () => {
    test("records, labels and aggregates", async () => {
      const conn = await open();
      conn.observe("latency", 1.2);
      conn.increment("counter", -1);
      conn.observe("latency", 2.0, { labels: { service: "myapp" } });

      const mine = conn.query("latency", { labels: { service: "myapp" } });
      const all = conn.query("latency");
      for (const agg of ["last", "min", "max", "mean", "sum"] as const) {
        expect(await mine.fromBeginning().toScaler({ agg })).toBe(2);
      }
      expect(await mine.fromBeginning().toScalar({ agg: "count" })).toBe(1);
      expect(await all.fromBeginning().toScalar({ agg: "mean" })).toBe(1.6);
      expect(await conn.query("counter").toScalar()).toBe(-1);
      expect(await mine.fromBeginning().toBuckets({ buckets: [1, 5, 10] })).toEqual([
        { le: 1, count: 0 },
        { le: 5, count: 1 },
        { le: 10, count: 0 },
        { le: Infinity, count: 0 },
      ]);
      expect(await mine.toPercentiles({ percentiles: [50, 90, 99] })).toEqual({
        50: 2,
        90: 2,
        99: 2,
      });
      expect(await all.toArray()).toEqual(Float64Array.of(1.2, 2));
      const times = await all.toTimestamps();
      expect(times).toHaveLength(2);
      expect(await all.toTimestampsArray()).toEqual([times, Float64Array.of(1.2, 2)]);
      expect(Math.abs(times[0]! - Date.now())).toBeLessThan(60_000);
      await conn.close();
    });

    test("takes what is wanted by name or by itself, and refuses what it does not know", async () => {
      const conn = await open();
      for (const value of [2, 2, 7]) conn.observe("latency", value);
      const query = conn.query("latency");
      expect(await query.toScalar("count")).toBe(3);
      expect(await query.toScaler("min")).toBe(2);
      expect(await query.toPercentiles([0, 100])).toEqual({ 0: 2, 100: 7 });
      expect(await query.toBuckets([5])).toEqual(await query.toBuckets({ buckets: [5] }));
      const cumulative = await query.toBuckets({ buckets: [5], cumulative: true });
      expect(await query.toBuckets([5], true)).toEqual(cumulative);
      const labels = { service: "myapp" } as object;
      expect(() => conn.observe("latency", 1, labels)).toThrow('"service" is no option');
      expect(() => conn.increment("latency", 1, labels)).toThrow('"service" is no option');
      expect(() => conn.query("latency", labels)).toThrow('"service" is no option');
      await conn.close();
    });

    test("selects by duration, in units or in words, and by timestamp", async () => {
      const conn = await open();
      const nowMs = Date.now();
      for (const minutes of [90, 30, 2]) {
        const timestamp = nowMs - minutes * Units.minutes;
        conn.observe("age", minutes, { timestamp });
      }
      const query = conn.query("age");
      const ages = async (selected: typeof query) => [...(await selected.toArray())];
      expect(await ages(query.fromBeginning())).toEqual([90, 30, 2]);
      expect(await ages(query.fromTimedelta(5 * Units.minutes))).toEqual([2]);
      expect(await ages(query.fromTimedelta({ hours: 1 }))).toEqual([30, 2]);
      expect(await ages(query.fromTimedelta({ hours: 1, minutes: 59 }))).toEqual([90, 30, 2]);
      expect(await ages(query.fromTimestamp(new Date(nowMs - 30 * Units.minutes)))).toEqual([
        30, 2,
      ]);
      expect(await ages(query.fromTimestamp(nowMs - 30 * Units.minutes + 0.001))).toEqual([2]);
      await conn.close();
    });
  });

  test("what was never recorded has count and sum 0, and no other number", async () => {
    const conn = await open();
    const query = conn.query("nothing", { labels: { service: "myapp" } });
    const scalars = await Promise.all(AGGREGATIONS.map((agg) => query.toScalar({ agg })));
    expect(scalars).toEqual([null, null, null, null, 0, 0]);
    expect(await query.toPercentiles({ percentiles: [50] })).toEqual({ 50: null });
    expect(await query.toBuckets({ buckets: [1] })).toEqual([
      { le: 1, count: 0 },
      { le: Infinity, count: 0 },
    ]);
    expect(await query.toArray()).toEqual(new Float64Array());
    expect(await conn.series()).toEqual([]);
    await conn.close();
  });

  test("increments add up over all series that match, and go on from before the window", async () => {
    const conn = await open();
    const at = (minutes: number, route: string) => {
      return { timestamp: DAY_MS + minutes * Units.minutes, labels: { route, host: "a" } };
    };
    conn.increment("requests", 1, at(0, "/a"));
    conn.increment("requests", 10, at(2, "/b"));
    conn.increment("requests", undefined, at(1, "/a"));
    conn.increment("requests", -3, at(3, "/b"));
    expect(await conn.query("requests").toArray()).toEqual(Float64Array.of(1, 2, 12, 9));
    const [a, b] = ["/a", "/b"].map((route) => conn.query("requests", { labels: { route } }));
    expect([await a!.toScalar(), await b!.toScalar()]).toEqual([2, 7]);
    const late = conn.query("requests").fromTimestamp(DAY_MS + 2 * Units.minutes);
    expect(await late.toArray()).toEqual(Float64Array.of(12, 9));
    const scalars = await Promise.all(AGGREGATIONS.map((agg) => late.toScalar({ agg })));
    expect(scalars).toEqual([9, 9, 12, 10.5, 2, 21]);
    await conn.close();
  });

  test("labels match whatever their order and type, by any key and value", async () => {
    const conn = await open();
    const odd = { 'a"b': 'c","d":"e', "/~1": "{}", "*": "", ключ: "значение", $: "🙂" };
    conn.observe("odd", 1, { labels: odd });
    conn.observe("odd", 2, { labels: { shard: 3, hot: true, zone: "z" } });
    conn.observe("odd", 3, { labels: { zone: "z", hot: "true", shard: "3" } });
    const asked = async (labels: Labels) => [...(await conn.query("odd", { labels }).toArray())];
    expect(await asked(odd)).toEqual([1]);
    for (const [key, value] of Object.entries(odd))
      expect(await asked({ [key]: value })).toEqual([1]);
    expect(await asked({ shard: "3", hot: true })).toEqual([2, 3]);
    expect(await asked({ d: "e" })).toEqual([]);
    expect(await asked({ shard: 3, missing: "" })).toEqual([]);
    expect((await conn.series()).map(({ labels }) => labels)).toEqual(
      expect.arrayContaining([odd, { hot: "true", shard: "3", zone: "z" }]),
    );
    expect(await conn.series()).toHaveLength(2);
    await conn.close();
  });

  test("each series by itself, in numbers", async () => {
    const conn = await open();
    for (const value of [1, 2, 3, 30]) conn.observe("size", value, { labels: { host: "a" } });
    conn.observe("size", 7, { labels: { host: "b" } });
    conn.increment("size", 5);
    conn.increment("size", 6);
    const summaries = await conn.summaries("size", { edges: [2, 10], percentiles: [50, 100] });
    expect(summaries).toMatchObject([
      { kind: "increment", labels: {}, count: 2, sum: 11, last: 11 },
      {
        kind: "observation",
        labels: { host: "a" },
        count: 4,
        sum: 36,
        last: 30,
        bucketCounts: [2, 1, 1],
        percentiles: [2.5, 30],
      },
      { kind: "observation", labels: { host: "b" }, count: 1, sum: 7, last: 7 },
    ]);
    await conn.close();
  });

  test(
    "random points, labels and windows are answered as the definition does",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(POINT, { maxLength: 80 }), QUESTION, async (points, question) => {
          const conn = await open();
          for (const { kind, name, labels, timeMs, value } of points) {
            if (kind === "increment") conn.increment(name, value, { labels, timestamp: timeMs });
            else conn.observe(name, value, { labels, timestamp: timeMs });
          }
          expect(await conn.series()).toHaveLength(oracleSeries(points).size);
          await expectDefinition(conn, points, question);
          await conn.close();
        }),
        propertyRuns(runs),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
}

const LABELS: fc.Arbitrary<Labels> = fc.dictionary(
  fc.constantFrom("service", "zone", 'q"uote', "a/b~c"),
  fc.oneof(fc.constantFrom("myapp", "", "größer", '","'), fc.constantFrom(1, true)),
  { maxKeys: 3 },
);

/** Eighths add up exactly, in whatever order they are added; times meet often. */
const POINT: fc.Arbitrary<RecordedPoint> = fc.record({
  kind: fc.constantFrom("observation", "increment"),
  name: fc.constantFrom("latency", "mixed"),
  labels: LABELS,
  timeMs: fc.integer({ min: 0, max: 40_000 }).map((step) => DAY_MS + Math.floor(step / 8) / 1_000),
  value: fc.integer({ min: -80_000, max: 80_000 }).map((eighths) => eighths / 8),
});

interface Question {
  readonly labels: Labels;
  readonly fromMs: number;
  readonly percentiles: readonly number[];
  readonly edges: readonly number[];
}

const QUESTION: fc.Arbitrary<Question> = fc.record({
  labels: fc.oneof(fc.constant({}), LABELS),
  fromMs: fc.integer({ min: -1, max: 5_001 }).map((step) => (step < 0 ? 0 : DAY_MS + step / 1_000)),
  percentiles: fc.uniqueArray(
    fc.integer({ min: 0, max: 1_000 }).map((tenths) => tenths / 10),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  edges: fc
    .uniqueArray(fc.integer({ min: -9_000, max: 9_000 }), { minLength: 1, maxLength: 5 })
    .map((edges) => edges.toSorted((a, b) => a - b)),
});

async function expectDefinition(
  conn: MetricConnection,
  recorded: readonly RecordedPoint[],
  { labels, fromMs, percentiles, edges }: Question,
): Promise<void> {
  for (const name of ["latency", "mixed"]) {
    const points = oraclePoints(recorded, name, labels, fromMs);
    const query = conn.query(name, { labels }).fromTimestamp(fromMs);
    const [times, values] = await query.toTimestampsArray();
    expect([...values]).toEqual(points.map(({ value }) => value));
    expect([...times]).toEqual(points.map(({ timeMs }) => timeMs));
    for (const agg of AGGREGATIONS) {
      expectClose(await query.toScalar({ agg }), oracleScalar(points, agg));
    }
    const found = await query.toPercentiles({ percentiles });
    for (const percentile of percentiles) {
      expectClose(found[percentile]!, oraclePercentile(points, percentile));
    }
    const buckets = await query.toBuckets({ buckets: edges });
    expect(buckets.map(({ count }) => count)).toEqual(oracleBuckets(points, edges));
    const cumulative = await query.toBuckets({ buckets: edges, cumulative: true });
    expect(cumulative.at(-1)).toEqual({ le: Infinity, count: points.length });
  }
}

/** Means and percentiles are rounded once more or less often. */
function expectClose(found: number | null, expected: number | null): void {
  if (found === null || expected === null) expect(found).toBe(expected);
  else
    expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
}
