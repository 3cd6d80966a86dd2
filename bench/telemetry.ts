// What counting costs: CPU of ingest with and without, and the scrape.
//
// Two servers, one as it is and one built from a copy of the sources in which the meter and the
// telemetry of requests do nothing. They take the same batches in short turns, so that whatever
// else the machine does meets both. What counts is the CPU time of workerd; the reports to the hub,
// a second apart, are part of it.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { RequestTelemetry } from "../workers/ingest/request-telemetry.ts";
import { flush } from "../scripts/demo/api.ts";
import { gzippedBodies, ROWS_PER_BATCH } from "./events.ts";
import { encodeColumns } from "../clients/client/encode-columns.ts";
import { sendBodies } from "./load.ts";
import { printFigure, printMachine, quantile } from "./report.ts";
import { type BenchServer, measureCpu, type startBenchServer } from "./server.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** No logs and no traces: they are no part of the question; what a span costs: bench/spans.ts. */
const COUNTS_ALONE = { LOG_LEVEL: "error", TRACE_SAMPLE_RATIO: "0", SELF_DATABASE: "" };
const LARGE = { pairs: 200, bodies: 6 };
const TINY = { pairs: 100, bodies: 100 };
const WARM_UP_PAIRS = 20;
const PAIRS_PER_FLUSH = 20;
const REST_SECONDS = 10;
const CONCURRENCY = 8;
const SERIES = 1_000;
const SCRAPES = 30;

/** Of the copy, what is replaced by a file of without-telemetry/. */
const REPLACED = {
  "lib/telemetry/meter.ts": "meter.ts",
  "workers/ingest/request-telemetry.ts": "request-telemetry.ts",
};
const COPIED = [
  "bench",
  "clients",
  "durable-objects",
  "embedded",
  "lib",
  "package.json",
  "platform",
  "queue-consumers",
  "scripts",
  "tsconfig.json",
  "workers",
  "wrangler.toml",
];

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
const bare = copyWithoutTelemetry(join(folder, "bare-sources"));
const servers: BenchServer[] = [];
for (const [name, value] of Object.entries(COUNTS_ALONE)) process.env[`SLUICE_${name}`] = value;
try {
  for (const [name, root] of Object.entries({ counting: ROOT, bare })) {
    const { startBenchServer: start } = (await import(join(root, "bench/server.ts"))) as {
      startBenchServer: typeof startBenchServer;
    };
    mkdirSync(join(folder, name));
    servers.push(await start(join(folder, name)));
  }
  const [counting, without] = servers as [BenchServer, BenchServer];
  printMachine();
  console.log(`${LARGE.pairs} turns each, of ${LARGE.bodies} batches of ${ROWS_PER_BATCH} events:`);
  await compare(counting, without, LARGE.pairs, await gzippedBodies(LARGE.bodies));
  console.log(`\n${TINY.pairs} turns each, of ${TINY.bodies} batches of one row:`);
  await compare(counting, without, TINY.pairs, tinyBodies(TINY.bodies));
  console.log("\none write a second:");
  await compareAtRest(counting, without);
  console.log("\nthe calls of one write, by themselves:");
  printFigure("telemetry of a request", [1, 2, 3, 4, 5].map(requestMicroseconds), "µs");
  await scrapeCost(counting);
  console.log("\none write a second after that:");
  await compareAtRest(counting, without);
} finally {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true });
}

function copyWithoutTelemetry(root: string): string {
  for (const path of COPIED) cpSync(join(ROOT, path), join(root, path), { recursive: true });
  for (const [path, stub] of Object.entries(REPLACED)) {
    cpSync(join(ROOT, "bench/without-telemetry", stub), join(root, path));
  }
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  return root;
}

/** In short turns, so that what disturbs one server disturbs the other. */
async function compare(
  counting: BenchServer,
  bareServer: BenchServer,
  pairCount: number,
  bodies: readonly Uint8Array[],
): Promise<void> {
  const used = { counting: [] as number[], bare: [] as number[] };
  const takeTurn = async (server: BenchServer, into: number[]) => {
    const addressed = bodies.map((body) => ({ database: "compared", body }));
    const send = () => sendBodies(server.admin, addressed, CONCURRENCY);
    const { workerdSeconds } = await measureCpu(server, send);
    into.push((workerdSeconds * 1e6) / bodies.length);
  };
  for (let pair = 0; pair < WARM_UP_PAIRS + pairCount; pair++) {
    if (pair === WARM_UP_PAIRS) for (const turns of Object.values(used)) turns.length = 0;
    const turns: [BenchServer, number[]][] = [
      [counting, used.counting],
      [bareServer, used.bare],
    ];
    if (pair % 2 === 0) turns.reverse();
    for (const [server, into] of turns) await takeTurn(server, into);
    if (pair % PAIRS_PER_FLUSH > 0) continue;
    for (const { admin } of [counting, bareServer]) await flush(admin);
  }
  printFigure("with, workerd's CPU per batch", used.counting, "µs");
  printFigure("without", used.bare, "µs");
  for (const fraction of [0.25, 0.5]) {
    const [with_, without] = [quantile(used.counting, fraction), quantile(used.bare, fraction)];
    const label = fraction === 0.5 ? "medians" : "lower quartiles";
    printFigure(`difference of the ${label}`, [with_ - without], "µs");
    printFigure("  of what it is without", [100 * (with_ / without - 1)], "%");
  }
}

/** One write a second: what is not the write itself is the report and what the hub does with it. */
async function compareAtRest(counting: BenchServer, bareServer: BenchServer): Promise<void> {
  const trickle = async (server: BenchServer) => {
    for (const body of tinyBodies(REST_SECONDS)) {
      await sendBodies(server.admin, [{ database: "compared", body }], 1);
      await sleep(1_000);
    }
  };
  const milliseconds = async (server: BenchServer) => {
    const { workerdSeconds } = await measureCpu(server, () => trickle(server));
    return (workerdSeconds * 1_000) / REST_SECONDS;
  };
  printFigure("with, workerd's CPU per second", [await milliseconds(counting)], "ms");
  printFigure("without", [await milliseconds(bareServer)], "ms");
}

function tinyBodies(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    return gzipSync(encodeColumns("tiny", { time: [Date.now() + i], value: [i] }));
  });
}

/** What a write calls from its arrival to its answer, in this process. */
function requestMicroseconds(): number {
  const route = "/api/v1/write/msgpack";
  const headers = { "content-length": "1000" };
  const request = new Request(`http://sluice${route}`, { method: "POST", headers });
  const count = 50_000;
  const startMs = performance.now();
  for (let i = 0; i < count; i++) {
    const telemetry = new RequestTelemetry(request, "0");
    telemetry.routed(route);
    telemetry.admitted(null, "default");
    for (const name of ["read", "decompress", "scan", "schema", "append"] as const) {
      using _stage = telemetry.stage(name);
    }
    telemetry.decoded(10_000);
    telemetry.offer("default", [{ measurement: "cpu", rowCount: 10 }]);
    telemetry.settle({ rowCount: 10, isDuplicate: false });
    telemetry.finish(204, null);
  }
  return ((performance.now() - startMs) * 1_000) / count;
}

async function scrapeCost(server: BenchServer): Promise<void> {
  const { url, token } = server.admin;
  for (let from = 0; from < SERIES; from += 500) {
    const lines = Array.from({ length: 500 }, (_, i) => `m${from + i} value=1`);
    const headers = { authorization: `Bearer ${token}`, "x-arc-database": "series" };
    const init = { method: "POST", headers, body: lines.join("\n") };
    const { status } = await fetch(`${url}/api/v1/write/line-protocol`, init);
    if (status !== 204) throw new Error(`write answered ${status}`);
  }
  await sleep(3_000);
  const times: number[] = [];
  let text = "";
  const { workerdSeconds } = await measureCpu(server, async () => {
    for (let i = 0; i < SCRAPES; i++) {
      const startMs = performance.now();
      text = await (await fetch(`${url}/metrics`)).text();
      times.push(performance.now() - startMs);
    }
  });
  const seriesCount = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  console.log(`\n/metrics with ${SERIES} measurements:`);
  printFigure("lines of samples", [seriesCount.length], "");
  printFigure("bytes", [text.length], "");
  printFigure("time of a scrape", times, "ms");
  printFigure("workerd's CPU", [(workerdSeconds * 1_000) / SCRAPES], "ms");
}
