// `npm run test:otlp`: spans and log records, read by the OpenTelemetry Collector's own decoder.
//
// Needs Go, which fetches the decoder (main.go, go.mod) when it is first run. Prints the trace of
// one batch as a drawing.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { drawTrace, type DrawnSpan } from "../../helpers/draw-trace.ts";
import { encodeBatch, HttpClient } from "../../helpers/http-client.ts";
import { Stack } from "../../helpers/stack.ts";

interface Received extends DrawnSpan {
  readonly signal: "traces" | "logs";
  readonly service: string;
  readonly scope: string;
  readonly traceId: string;
  readonly kind: string;
}

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER = "00f067aa0ba902b7";
const EXPECTED = `POST /api/v1/write/msgpack < ${CALLER} server
append < POST /api/v1/write/msgpack internal
commit < write internal
commit to the log < append server
decompress < POST /api/v1/write/msgpack internal
flush segment < append consumer
R2 put < write client
read < POST /api/v1/write/msgpack internal
read segment < flush segment internal
release < flush segment internal
scan < POST /api/v1/write/msgpack internal
schema < POST /api/v1/write/msgpack internal
send hint < append producer
write < flush segment internal`.split("\n");
const WAIT_MS_MAX = 30_000;

if (spawnSync("go", ["version"]).status !== 0) {
  console.error("Go is missing: https://go.dev/doc/install, or apt-get install golang-go");
  process.exit(2);
}
const cwd = fileURLToPath(new URL(".", import.meta.url));
const binary = join(cwd, "../../../.build/otlp-receiver");
mkdirSync(dirname(binary), { recursive: true });
const built = spawnSync("go", ["build", "-o", binary, "."], { cwd, stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);

const received: Received[] = [];
const refusals: string[] = [];
const url = Promise.withResolvers<string>();
const receiver = spawn(binary, { stdio: ["ignore", "pipe", "inherit"] });
createInterface({ input: receiver.stdout }).on("line", (line) => {
  const said = JSON.parse(line) as string | (Received & { component: string });
  if (typeof said !== "string") received.push({ ...said, component: said.scope });
  else if (said.startsWith("http")) url.resolve(said);
  else refusals.push(said);
});

const stack = new Stack({
  OTEL_EXPORTER_OTLP_ENDPOINT: await url.promise,
  METRICS_EVERY_MS: "100",
  SEAL_AFTER_MS: "500",
});
await stack.start();
try {
  await run();
} finally {
  receiver.kill();
  await stack.remove();
}

async function run(): Promise<void> {
  const client = new HttpClient(() => stack.url);
  const body = encodeBatch("cpu", { time: [1_700_000_000_000_000], host: ["a"], value: [1.5] });
  const write = (headers: Record<string, string>) =>
    client.fetch("/api/v1/write/msgpack", { method: "POST", body, headers });
  // The database, and the event that tells of it, are no part of the trace.
  await write({});
  await client.flush();
  await write({ traceparent: `00-${TRACE}-${CALLER}-01` });

  const traced = () => received.filter((one) => one.traceId === TRACE);
  const spans = () => traced().filter(({ signal }) => signal === "traces");
  const deadlineMs = Date.now() + WAIT_MS_MAX;
  while (spans().length < EXPECTED.length && Date.now() < deadlineMs) await sleep(100);
  await sleep(2_000);

  console.log(drawTrace(spans()));
  const names = new Map(spans().map(({ spanId, name }) => [spanId, name]));
  const lines = spans().map(({ name, parentSpanId, kind }) => {
    return `${name} < ${names.get(parentSpanId!) ?? parentSpanId} ${kind.toLowerCase()}`;
  });
  const wrong = [
    ...refusals,
    ...EXPECTED.filter((line) => !lines.includes(line)).map((line) => `missing: ${line}`),
    ...lines.filter((line) => !EXPECTED.includes(line)).map((line) => `not expected: ${line}`),
    ...received.filter(({ service }) => service !== "sluice").map(({ name }) => `of whom: ${name}`),
    ...(traced().some(({ signal }) => signal === "logs") ? [] : ["missing: a log of the trace"]),
  ];
  for (const line of wrong) console.error(line);
  console.log(`${received.length} spans and log records decoded by the Collector's own code`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
