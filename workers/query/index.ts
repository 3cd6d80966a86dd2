// The query Worker's entry: RPC from the front door (workers/ingest/query.ts), nothing from
// outside.

import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import duckdb from "../../node_modules/@malloydata/duckdb-wasm/dist/duckdb-eh.wasm";
import { errorKind, orRefusalLater, type Refusal, SluiceError } from "#lib/base/errors.ts";
import type { SnapshotFile, WantedRows } from "#lib/catalog/types.ts";
import { errorResponse, json } from "#lib/http/respond.ts";
import { RangeMemory } from "#lib/sql/range-memory.ts";
import type { QueryRequest } from "#lib/sql/types.ts";
import { parseTraceparent } from "#lib/telemetry/trace-context.ts";
import clock from "../../platform/duckdb/clock.wasm";
import { EnginePool } from "#platform/duckdb/engine-pool.ts";
import { createLog } from "#platform/log.ts";
import { queryPorts } from "#platform/query-ports.ts";
import { reportSoon } from "#platform/telemetry.ts";
import { answerQuery } from "./answer.ts";
import { type Condition, examineCondition, matchRows } from "./match-rows.ts";
import { countMatch, telemetryOf } from "./query-telemetry.ts";
import type { QueryPorts, QueryProgress } from "./run-query.ts";

const isolate = {
  engine: new EnginePool({ duckdb, clock }),
  rangeMemory: new RangeMemory(),
};

export default class extends WorkerEntrypoint<QueryEnv> {
  /** The caller holds the query as long as somebody waits for its answer. */
  open(request: QueryRequest): HeldQuery {
    return new HeldQuery(request, this.env, this.ctx);
  }

  /** For deletes: which rows of a file meet a condition. */
  matchRows(condition: Condition, file: SnapshotFile): Promise<Uint8Array | Refusal> {
    return this.#match((progress) => matchRows(condition, file, this.#ports(), progress));
  }

  /** What rows of the table must have so that the condition can be true; what is wrong with it. */
  examineCondition(condition: Condition): Promise<WantedRows | Refusal> {
    return this.#match((progress) => examineCondition(condition, this.#ports(), progress));
  }

  /** A caller that is gone must not take the engine's holder with it in the middle of a read. */
  #match<T>(work: (progress: QueryProgress) => Promise<T>): Promise<T | Refusal> {
    const inBackground = (promise: Promise<unknown>) => this.ctx.waitUntil(promise);
    const answer = orRefusalLater(() => countMatch(work));
    inBackground(answer.finally(() => reportSoon("query", this.env, inBackground)));
    return answer;
  }

  #ports() {
    return queryPorts(this.env, isolate, (work) => this.ctx.waitUntil(work));
  }

  override fetch(request: Request): Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return json({ status: "ok" });
    const message = `no such route: ${pathname}`;
    return errorResponse(new SluiceError("route_unknown", message), crypto.randomUUID());
  }
}

/**
 * A query that ends when its caller does: a client that hangs up takes the front door's request
 * with it, which lets go of what it held here. An AbortSignal would say the same, but it cannot be
 * passed from Worker to Worker without an experimental flag.
 */
class HeldQuery extends RpcTarget {
  readonly #request: QueryRequest;
  readonly #env: QueryEnv;
  readonly #ctx: ExecutionContext;
  readonly #abandoned = new AbortController();

  constructor(request: QueryRequest, env: QueryEnv, ctx: ExecutionContext) {
    super();
    this.#request = request;
    this.#env = env;
    this.#ctx = ctx;
  }

  answer(): Promise<Response> {
    const { requestId, traceparent } = this.#request;
    const log = createLog("query", this.#env.LOG_LEVEL, parseTraceparent(traceparent));
    const inBackground = (work: Promise<unknown>) => this.#ctx.waitUntil(work);
    const ports = this.#watchedPorts(inBackground);
    const report = (error: SluiceError) => {
      const isOurs = ["internal", "unavailable", "corrupt"].includes(errorKind(error.code));
      if (isOurs) log.error("query failed", error, { request_id: requestId, code: error.code });
      else log.info("query refused", { request_id: requestId, code: error.code });
    };
    const answer = answerQuery(this.#request, ports, report, this.#abandoned.signal);
    // A client that hangs up must not take the engine's holder with it in the middle of a read.
    inBackground(answer);
    return answer;
  }

  /** The query's end is told to the registry, and counted. */
  #watchedPorts(inBackground: (work: Promise<unknown>) => void): QueryPorts {
    const telemetry = telemetryOf(this.#request);
    const ports = queryPorts(this.#env, isolate, inBackground);
    const watch: QueryPorts["watch"] = (request, progress, cancel) => {
      const watched = ports.watch(request, progress, cancel);
      const end = (outcome: string) => {
        watched.end(outcome);
        telemetry.end(outcome, progress);
        reportSoon("query", this.#env, inBackground);
      };
      return { end };
    };
    return { ...ports, watch };
  }

  /** Once there is an answer this means nothing: what is left of it has its own end (answer.ts). */
  [Symbol.dispose](): void {
    this.#abandoned.abort();
  }
}
