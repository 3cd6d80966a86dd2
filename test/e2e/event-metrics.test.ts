// Metrics over Sluice: the same answers as from a file, by the real server.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { SluiceClient } from "../../clients/client/client.ts";
import { MetricConnection } from "../../clients/event-metrics/metric-connection.ts";
import { prometheusText } from "../../clients/event-metrics/prometheus-text.ts";
import { describeAnswers } from "../clients/event-metrics/answers.ts";
import { propertyRuns } from "../helpers/property.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack();
const folder = mkdtempSync(join(tmpdir(), "sluice-metrics-"));
let databases = 0;

beforeAll(() => stack.start());
afterAll(async () => {
  await stack.remove();
  rmSync(folder, { recursive: true, force: true });
});

function target() {
  return { url: stack.url, token: ADMIN_TOKEN, database: `metrics${databases++}` };
}

describe("over Sluice", () => {
  describeAnswers(async () => new MetricConnection(target()), 8);

  test("many points and a window give what a file gives", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const file = new MetricConnection(join(folder, `file-${databases}`));
        const server = new MetricConnection(target());
        const random = seededRandom(seed);
        for (let i = 0; i < 150_000; i++) {
          const value = random();
          const options = { timestamp: Date.UTC(2026, 0, 1) + i, labels: { shard: i % 7 } };
          for (const one of [file, server]) {
            if (i % 10 === 0) one.increment("work", value, options);
            else one.observe("work", value, options);
          }
        }
        const ask = async (connection: MetricConnection) => {
          const query = connection.query("work").fromTimestamp(Date.UTC(2026, 0, 1) + 1_234);
          const [times, points] = await query.toTimestampsArray();
          const percentiles = await query.toPercentiles({ percentiles: [0.1, 50, 99.9] });
          const buckets = await query.toBuckets({ buckets: [0.1, 0.5, 0.9, 100, 5_000] });
          return { times, points, percentiles, buckets, text: await prometheusText(connection) };
        };
        const [ofFile, ofServer] = [await ask(file), await ask(server)];
        expect(ofServer.points).toHaveLength(150_000 - 1_234);
        expect(ofServer.times).toEqual(ofFile.times);
        expect(ofServer.buckets).toEqual(ofFile.buckets);
        for (const [percentile, value] of Object.entries(ofFile.percentiles)) {
          expect(ofServer.percentiles[Number(percentile)]).toBeCloseTo(value!, 9);
        }
        const isFar = (value: number, at: number) =>
          !(Math.abs(ofServer.points[at]! - value) <= 1e-9 * Math.max(1, value));
        expect(ofFile.points.findIndex(isFar)).toBe(-1);
        expect(ofServer.text.replaceAll(/\.\d+/g, "")).toBe(ofFile.text.replaceAll(/\.\d+/g, ""));
        await Promise.all([file.close(), server.close()]);
      }),
      propertyRuns(1),
    );
  });

  test("two connections count together, through one client or through two", async () => {
    const client = new SluiceClient(target());
    const connections = [new MetricConnection(client), new MetricConnection(client)];
    for (let i = 0; i < 1_000; i++) connections[i % 2]!.increment("counted");
    await Promise.all(connections.map((connection) => connection.flush()));
    for (const connection of connections) {
      expect(await connection.query("counted").toScalar()).toBe(1_000);
    }
    await connections[0]!.close();
    expect(await connections[1]!.query("counted").toScalar({ agg: "count" })).toBe(1_000);
    await client.close();
  });

  test("what it stores is a measurement, open to SQL", async () => {
    const client = new SluiceClient(target());
    const connection = new MetricConnection(client);
    connection.observe("latency", 2, { labels: { service: "myapp", host: "a" }, timestamp: 1_234 });
    await connection.flush();
    expect(await client.query("SELECT * EXCLUDE (writer) FROM observations")).toEqual([
      {
        time: "1970-01-01T00:00:01.234Z",
        name: "latency",
        kind: "observation",
        labels: '{"host":"a","service":"myapp"}',
        value: 2,
        seq: 0,
      },
    ]);
    await connection.close();
    await client.close();
  });

  test("leaves deleting to retention", async () => {
    const connection = new MetricConnection(target());
    await expect(connection.deleteBefore(0)).rejects.toThrow(/retention policy/);
    await connection.close();
  });
});
