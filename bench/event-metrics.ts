// Event-time metrics in a file: single `observe` calls per second, and questions about 1 M points.
//
// A loop of single calls, as in the Python library's own benchmark, which came to 34,657 per second
// on its author's machine; the time includes the last flush, after which all is synced to disk.
// Answers are compared with those of plain JavaScript over the same values, which must be the same.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MetricConnection, type PointOptions } from "../clients/event-metrics/metric-connection.ts";
import { Random } from "../clients/samples/random.ts";
import { printFigure, printMachine } from "./report.ts";

const POINTS = 1_000_000;
const ROUNDS = 7;
const PYTHON_PER_SECOND = 34_657;
const PERCENTILES = [50, 90, 99];

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
let files = 0;
try {
  printMachine();
  const random = new Random(1, "event-metrics");
  const values = Float64Array.from({ length: POINTS }, () => random.fraction() * 1_000);
  await reportRecording("observe", values, () => undefined);
  const labels = { service: "myapp", region: "eu" };
  await reportRecording("observe, two labels", values, () => ({ labels }));
  const hosts = Array.from({ length: 1_000 }, (_, host) => ({ labels: { host } }));
  await reportRecording("observe, 1,000 series in turn", values, (i) => hosts[i % 1_000]!);
  await reportQuestions(values);
} finally {
  rmSync(folder, { recursive: true });
}

async function reportRecording(
  label: string,
  values: Float64Array,
  optionsOf: (i: number) => PointOptions | undefined,
): Promise<void> {
  const rates: number[] = [];
  const cpuRates: number[] = [];
  let residentMb = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const connection = new MetricConnection(newPath());
    const cpuStart = process.cpuUsage();
    const start = performance.now();
    for (let i = 0; i < POINTS; i++) connection.observe("latency", values[i]!, optionsOf(i));
    await connection.flush();
    rates.push(POINTS / ((performance.now() - start) / 1_000));
    const { user, system } = process.cpuUsage(cpuStart);
    cpuRates.push(POINTS / ((user + system) / 1e6));
    residentMb = process.memoryUsage.rss() / 1e6;
    await connection.close();
  }
  printFigure(`${label}, flushed`, rates, "per second");
  printFigure(
    "  times the Python library's",
    rates.map((rate) => rate / PYTHON_PER_SECOND),
    "×",
  );
  printFigure("  per second of CPU time, all threads", cpuRates, "");
  printFigure("  resident memory of the process", [residentMb], "MB");
}

async function reportQuestions(values: Float64Array): Promise<void> {
  const connection = new MetricConnection(newPath());
  for (const value of values) connection.observe("latency", value);
  await connection.flush();
  const query = connection.query("latency");
  console.log(`\n${POINTS.toLocaleString("en")} points`);
  await measure("percentiles, from the file", () =>
    query.toPercentiles({ percentiles: PERCENTILES }),
  );
  await measure("percentiles, values in memory: Float64Array sort", async () =>
    percentilesBySort(Float64Array.from(values).sort()),
  );
  await measure("percentiles, values in memory: plain array sort", async () =>
    percentilesBySort([...values].sort((a, b) => a - b)),
  );
  await measure("buckets", () => query.toBuckets({ buckets: [1, 5, 10, 100, 500] }));
  await measure("mean", () => query.toScalar({ agg: "mean" }));
  await measure("last", () => query.toScalar({ agg: "last" }));
  await measure("times and values", () => query.toTimestampsArray());
  const found = await query.toPercentiles({ percentiles: PERCENTILES });
  const expected = percentilesBySort(Float64Array.from(values).sort());
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error("answers differ");
  await connection.close();
}

async function measure(label: string, ask: () => Promise<unknown>): Promise<void> {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await ask();
    rounds.push(performance.now() - start);
  }
  printFigure(label, rounds, "ms");
}

function percentilesBySort(sorted: ArrayLike<number>): Record<number, number> {
  return Object.fromEntries(
    PERCENTILES.map((percentile) => {
      const place = (sorted.length - 1) * (percentile / 100);
      const [low, share] = [Math.floor(place), place % 1];
      const [below, above] = [sorted[low]!, sorted[Math.min(low + 1, sorted.length - 1)]!];
      const distance = above - below;
      const value = share >= 0.5 ? above - distance * (1 - share) : below + distance * share;
      return [percentile, value];
    }),
  );
}

function newPath(): string {
  return join(folder, `metrics-${files++}`);
}
