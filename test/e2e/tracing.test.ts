// Spans and log records on their way out: to a collector over OTLP/HTTP, and into Sluice's own
// measurements, where SQL finds them.

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { drawTrace } from "../helpers/draw-trace.ts";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { OtlpReceiver, type ReceivedSpan } from "../helpers/otlp-receiver.ts";
import { Stack } from "../helpers/stack.ts";

const receiver = new OtlpReceiver();
let stack: Stack;
let client: HttpClient;

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const QUERY_TRACE = "5bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;
const POLL = { timeout: 30_000, interval: 50 };

beforeAll(async () => {
  await receiver.start();
  stack = new Stack({
    SELF_DATABASE: "sluice",
    TRACE_SAMPLE_RATIO: "0",
    METRICS_EVERY_MS: "100",
    SEAL_AFTER_MS: "500",
    OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=a%20key, x-tenant=t",
    DEPLOYMENT_ENVIRONMENT: "test",
  });
  client = new HttpClient(() => stack.url);
  await stack.start();
  // The database, and the event that tells of it, are no part of the trace.
  await write();
  await client.flush();
});
afterAll(async () => {
  await stack.remove();
  await receiver.stop();
});

function write(headers: Record<string, string> = {}): Promise<Response> {
  const columns = { time: [1_700_000_000_000_000], host: ["a"], value: [1.5] };
  const body = encodeBatch("cpu", columns);
  return client.fetch("/api/v1/write/msgpack", { method: "POST", body, headers });
}

function spansOf(traceId: string): ReceivedSpan[] {
  return receiver.spans.filter((span) => span.traceId === traceId);
}

async function untilSpans(traceId: string, ...names: string[]): Promise<void> {
  const has = (name: string) => spansOf(traceId).some((span) => span.name === name);
  await vi.waitUntil(() => names.every(has), POLL);
}

/** Each span with the name of its parent, sorted. */
function treeOf(traceId: string) {
  const spans = spansOf(traceId);
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return spans
    .map(({ name, parentSpanId, scope, kind }) => {
      return { name, parent: names.get(parentSpanId!) ?? parentSpanId, scope, kind };
    })
    .toSorted(byName);
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

test("one batch is one trace, from the POST to the release of its segment", async () => {
  const response = await write({ traceparent: `00-${TRACE}-${PARENT}-01` });
  expect(response.status).toBe(204);
  expect(response.headers.get("traceparent")).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  await untilSpans(TRACE, "send hint", "flush segment", "POST /api/v1/write/msgpack");

  const post = "POST /api/v1/write/msgpack";
  const front = { scope: "sluice::front-door", kind: 1, parent: post };
  const buffer = { scope: "sluice::database-buffer", parent: "append" };
  const writer = { scope: "sluice::parquet-writer", kind: 1 };
  const expected = [
    { ...front, name: post, parent: PARENT, kind: SERVER },
    { ...front, name: "read" },
    { ...front, name: "decompress" },
    { ...front, name: "scan" },
    { ...front, name: "schema" },
    { ...front, name: "append" },
    { ...buffer, name: "commit to the log", kind: SERVER },
    { ...buffer, name: "send hint", kind: PRODUCER },
    { ...writer, name: "flush segment", parent: "append", kind: CONSUMER },
    { ...writer, name: "read segment", parent: "flush segment" },
    { ...writer, name: "write", parent: "flush segment" },
    { ...writer, name: "R2 put", parent: "write", kind: CLIENT },
    { ...writer, name: "commit", parent: "write" },
    { ...writer, name: "release", parent: "flush segment" },
  ];
  expect(treeOf(TRACE)).toEqual(expected.toSorted(byName));
  const spans = spansOf(TRACE);
  for (const { startNs, endNs, error } of spans) {
    expect(endNs).toBeGreaterThanOrEqual(startNs);
    expect(error).toBeNull();
  }
  const flush = spans.find(({ name }) => name === "flush segment")!;
  expect(flush.attributes).toMatchObject({ "sluice.rows": 1, "sluice.files": 1 });
  if (process.env["DRAW"]) console.log(drawTrace(spans.map(drawn)));
});

test("a query is one trace with its stages, and a refused one says its code", async () => {
  const traceparent = `00-${QUERY_TRACE}-${PARENT}-01`;
  const ask = (sql: string) => client.post("/api/v1/query", { sql }, { traceparent });
  expect((await ask("SELECT count(*) FROM cpu")).status).toBe(200);
  expect((await ask("SELECT nonsense FROM cpu")).status).toBe(400);
  await vi.waitUntil(
    () => spansOf(QUERY_TRACE).filter(({ name }) => name === "query").length === 2,
    POLL,
  );
  const spans = spansOf(QUERY_TRACE);
  const queries = spans.filter(({ name }) => name === "query");
  expect(queries.map(({ error }) => error)).toEqual([null, "sql_invalid"]);
  expect(queries[0]!.attributes).toMatchObject({ "query.kind": "sql", "query.rows": 1 });
  const stages = spans.filter(({ parentSpanId }) => parentSpanId === queries[0]!.spanId);
  expect(stages.map(({ name }) => name)).toEqual(expect.arrayContaining(["plan", "run"]));
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === PARENT);
  expect(roots.map(({ name }) => name)).toEqual(["POST /api/v1/query", "POST /api/v1/query"]);
  expect(queries.map(({ parentSpanId }) => parentSpanId)).toEqual(
    roots.map(({ spanId }) => spanId),
  );
  if (process.env["DRAW"]) console.log(drawTrace(spans.map(drawn)));
});

test("a job on the lake is a trace of its own", async () => {
  const request = { database: "default", measurement: "cpu", where: "value > 1", confirm: true };
  expect((await client.post("/api/v1/delete", request)).status).toBe(200);
  const job = () => receiver.spans.find(({ name }) => name === "job delete");
  await vi.waitUntil(job, POLL);
  expect(job()).toMatchObject({ scope: "sluice::jobs", parentSpanId: null, kind: CONSUMER });
  expect(job()!.attributes).toMatchObject({ "sluice.outcome": "done", "sluice.database_id": 1 });
});

test("requests to the collector are as OTLP/HTTP wants them", () => {
  expect(new Set(receiver.requests.map(({ path }) => path))).toEqual(
    new Set(["/v1/traces", "/v1/logs"]),
  );
  for (const { headers } of receiver.requests) {
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-encoding": "gzip",
      "x-api-key": "a key",
      "x-tenant": "t",
    });
  }
  for (const resource of receiver.resources) {
    expect(resource).toEqual({
      "service.name": "sluice",
      "service.version": "0.1.0",
      "deployment.environment": "test",
    });
  }
});

test("a log line of a flush belongs to the trace, and is told to the collector", async () => {
  const find = () => receiver.logs.find(({ traceId }) => traceId === TRACE);
  await vi.waitUntil(find, POLL);
  expect(find()).toMatchObject({
    scope: "sluice::parquet-writer",
    severity: "INFO",
    body: "segment written",
    attributes: { rows: 1, database_id: 1 },
  });
});

test("traces and logs are rows of our own, for SQL and for correlation", async () => {
  const sql = `SELECT operation_name, component, span_kind, error, status_code, duration_ns >= 0
    FROM traces WHERE trace_id = '${TRACE}' AND service_name = 'sluice' ORDER BY operation_name`;
  await vi.waitUntil(async () => (await client.query(sql, "sluice")).data?.length === 14, POLL);
  const { data } = await client.query(sql, "sluice");
  expect(data).toContainEqual(["R2 put", "parquet-writer", "client", false, "OK", true]);

  const depth = `WITH RECURSIVE tree AS (
      SELECT span_id, operation_name, 1 AS depth FROM traces
      WHERE trace_id = '${TRACE}' AND parent_span_id = '${PARENT}'
      UNION ALL SELECT t.span_id, t.operation_name, tree.depth + 1
      FROM traces t JOIN tree ON t.parent_span_id = tree.span_id)
    SELECT count(*), max(depth) FROM tree`;
  expect(await client.row(depth, "sluice")).toEqual([14, 5]);

  const logs = `SELECT level, target, message, json_extract(fields, '$.rows') FROM logs
    WHERE trace_id = '${TRACE}'`;
  await vi.waitUntil(async () => (await client.query(logs, "sluice")).data?.length === 1, POLL);
  const line = ["INFO", "sluice::parquet-writer", "segment written", "1"];
  expect(await client.row(logs, "sluice")).toEqual(line);

  const path = `/api/v1/correlate?database=sluice&around=now&window=10m&trace_id=${TRACE}`;
  const found = await (await client.fetch(path)).text();
  expect(found).toContain('"flush segment"');
  expect(found).toContain('"segment written"');
});

test("a system at rest is quiet: what it writes of itself makes no rows and no spans", async () => {
  const rows = async () => {
    const counts = "(SELECT count(*) FROM traces), (SELECT count(*) FROM logs)";
    return JSON.stringify(await client.row(`SELECT ${counts}`, "sluice"));
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, 4_000));
  await pause();
  const before = await rows();
  const receivedBefore = receiver.spans.length;
  // Long enough for rows to be told, stored, sealed, flushed, and that to be told again.
  await pause();
  expect(await rows()).toBe(before);
  expect(receiver.spans.length).toBe(receivedBefore);
});

test("a collector that is away costs spans and nothing else, and is told of again", async () => {
  receiver.answer = () => ({ status: 503, headers: { "retry-after": "1" } });
  const trace = "6bf92f3577b34da6a3ce929d0e0e4736";
  const tries = () => receiver.requests.filter(({ path }) => path === "/v1/traces").length;
  const before = tries();
  expect((await write({ traceparent: `00-${trace}-${PARENT}-01` })).status).toBe(204);
  await vi.waitUntil(() => tries() > before, POLL);
  expect(spansOf(trace)).toEqual([]);
  expect((await write()).status).toBe(204);
  receiver.answer = () => ({ status: 200 });
  await untilSpans(trace, "POST /api/v1/write/msgpack");
  await vi.waitUntil(async () => {
    const text = await (await client.fetch("/metrics")).text();
    return /exports_total\{destination="otlp",signal="traces",outcome="later"\} [1-9]/.test(text);
  }, POLL);
});

function drawn({ spanId, parentSpanId, name, scope, startNs, endNs }: ReceivedSpan) {
  const [startMs, endMs] = [Number(startNs) / 1e6, Number(endNs) / 1e6];
  return { spanId, parentSpanId, name, component: scope.slice("sluice::".length), startMs, endMs };
}
