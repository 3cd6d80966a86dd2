// What a request at the front door says of itself: its trace, and the counts that follow from how
// it ended. The only place where requests and writes become metrics.
//
// Whoever handles a write tells what it offers and what became of it; what was offered and never
// stored is rejected with the code of the answer. So offered = accepted + duplicate + rejected,
// whatever goes wrong on the way.

import type { AppendReceipt } from "#lib/buffer/types.ts";
import * as http from "#lib/telemetry/metrics/http.ts";
import * as ingest from "#lib/telemetry/metrics/ingest.ts";
import { NONE, tokenLabel, WRITE_COSTS } from "#lib/telemetry/costs.ts";
import { costOperations } from "#lib/telemetry/metrics/runtime.ts";
import type { CostOperation } from "#lib/telemetry/prices.ts";
import type { Span } from "#lib/telemetry/span.ts";
import { formatTraceparent, parseTraceparent } from "#lib/telemetry/trace-context.ts";
import { createTracer, meter } from "#platform/telemetry.ts";

/** Rows of one measurement. */
export interface OfferedRows {
  readonly measurement: string;
  readonly rowCount: number;
}

interface Stage extends Disposable {
  /** For whoever works on in another object; null: nobody records it. */
  readonly recordedTrace: string | null;
}

/** Routes that store rows, and the name of what they speak. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  "/api/v1/write/msgpack": "msgpack",
  "/write": "line-protocol",
  "/api/v2/write": "line-protocol",
  "/api/v1/write/line-protocol": "line-protocol",
  "/api/v1/import/csv": "import-csv",
  "/api/v1/import/lp": "import-line-protocol",
  "/api/v1/import/parquet": "import-parquet",
};

/** Of rows that were left out before it was clear whose they are. */
const NO_MEASUREMENT = "_unknown";

let activeCount = 0;

export class RequestTelemetry {
  readonly span: Span;
  readonly #request: Request;
  readonly #startMs = performance.now();
  /** The pattern, not the path: paths have no bound. */
  #route = "unknown";
  #database = "";
  #token: string = NONE;
  #pending: readonly OfferedRows[] = [];
  #isAccepted = false;
  #isDuplicate = false;
  #rowCount = 0;

  constructor(request: Request, sampleRatio: string) {
    this.#request = request;
    const parent = parseTraceparent(request.headers.get("traceparent"));
    const tracer = createTracer("front-door", sampleRatio);
    this.span = tracer.start(request.method, parent, { kind: "server" });
    meter.set(http.active, ++activeCount);
  }

  /** `unknown` when there is none. */
  get route(): string {
    return this.#route;
  }

  /** Who it is, and which database it names. */
  admitted(tokenId: number | null, database: string | null): void {
    this.#token = tokenLabel(tokenId);
    this.#database = database ?? "";
  }

  routed(pattern: string): void {
    this.#route = pattern;
    this.span.rename(`${this.#request.method} ${pattern}`);
  }

  /** Times a part of the work up to the end of the block. */
  stage(name: "read" | "decompress" | "scan" | "gather" | "schema" | "append"): Stage {
    const span = this.span.child(name);
    const startMs = performance.now();
    return {
      recordedTrace: span.context.isSampled ? formatTraceparent(span.context) : null,
      [Symbol.dispose]: () => {
        span.end();
        meter.observe(ingest.stageSeconds, secondsSince(startMs), name);
      },
    };
  }

  /** The body after decompression. */
  decoded(byteLength: number): void {
    const protocol = PROTOCOLS[this.#route];
    if (protocol !== undefined) meter.add(ingest.decodedBytes, byteLength, protocol);
  }

  /** These rows are to be stored now; said again, it replaces what was said before. */
  offer(database: string, rows: readonly OfferedRows[]): void {
    this.#database = database;
    this.#pending = rows;
  }

  /** What was offered last is stored, or was before. */
  settle({ isDuplicate }: AppendReceipt): void {
    const outcome = isDuplicate ? ingest.rowsDuplicate : ingest.rowsAccepted;
    for (const { measurement, rowCount } of this.#pending) {
      meter.add(ingest.rowsOffered, rowCount, this.#database, measurement);
      meter.add(outcome, rowCount, this.#database, measurement);
      this.#rowCount += rowCount;
    }
    this.#countAppend(isDuplicate ? 0 : this.#pending.length);
    this.#pending = [];
    if (isDuplicate) this.#isDuplicate = true;
    else this.#isAccepted = true;
  }

  /** A row that a partial write does not store. */
  leftOut(database: string, code: string): void {
    meter.add(ingest.rowsOffered, 1, database, NO_MEASUREMENT);
    meter.add(ingest.rowsRejected, 1, database, NO_MEASUREMENT, code);
  }

  /** `code`: of the error that was answered. */
  finish(status: number, code: string | null): void {
    meter.set(http.active, --activeCount);
    const { method } = this.#request;
    const seconds = secondsSince(this.#startMs);
    meter.add(http.requests, 1, this.#route, method, String(status));
    meter.observe(http.requestSeconds, seconds, this.#route);
    this.#countCost("worker_requests", 1);
    if (code !== null) meter.add(http.errors, 1, this.#route, code);
    if (status === 401 || status === 403) meter.add(http.authFailures, 1, code ?? "unknown");
    const byteLength = Number(this.#request.headers.get("content-length") ?? 0);
    meter.add(http.requestBytes, byteLength, this.#route);
    const protocol = PROTOCOLS[this.#route];
    if (protocol !== undefined) this.#finishWrite(protocol, byteLength, seconds, code);
    this.span.note({ "http.response.status_code": status, "http.route": this.#route });
    this.span.end(code ?? undefined);
  }

  /** Each batch is a row of the log, and so is the key that tells a repeat. */
  #countAppend(batchCount: number): void {
    const keyCount = batchCount > 0 && this.#request.headers.has("idempotency-key") ? 1 : 0;
    this.#countCost("do_requests", WRITE_COSTS.do_requests);
    this.#countCost("do_rows_written", batchCount + keyCount);
  }

  #countCost(operation: CostOperation, count: number): void {
    meter.add(costOperations, count, this.#database || NONE, this.#token, operation);
  }

  #finishWrite(protocol: string, byteLength: number, seconds: number, code: string | null): void {
    meter.add(ingest.batchesOffered, 1, protocol);
    meter.add(ingest.bodyBytes, byteLength, protocol);
    meter.observe(ingest.batchBytes, byteLength);
    for (const { measurement, rowCount } of this.#pending) {
      const rejectedFor = code ?? "unknown";
      meter.add(ingest.rowsOffered, rowCount, this.#database, measurement);
      meter.add(ingest.rowsRejected, rowCount, this.#database, measurement, rejectedFor);
    }
    if (code === "buffer_full") meter.add(ingest.backPressure, 1, this.#database);
    if (this.#isAccepted) meter.add(ingest.batchesAccepted, 1, protocol);
    else if (this.#isDuplicate) meter.add(ingest.batchesDuplicate, 1, protocol);
    else if (code !== null) meter.add(ingest.batchesRejected, 1, protocol, code);
    // Nothing to store, as a partial write of which all was left out: it was taken all the same.
    else meter.add(ingest.batchesAccepted, 1, protocol);
    if (code !== null) return;
    meter.observe(ingest.ackSeconds, seconds, protocol);
    meter.observe(ingest.batchRows, this.#rowCount);
    this.span.note({ "sluice.database": this.#database, "sluice.rows": this.#rowCount });
  }

  get traceparent(): string {
    return formatTraceparent(this.span.context);
  }
}

function secondsSince(startMs: number): number {
  return (performance.now() - startMs) / 1_000;
}
