// The query Worker's entry: RPC from the front door (workers/ingest/query.ts), nothing from
// outside.

import { WorkerEntrypoint } from "cloudflare:workers";
import duckdb from "../../node_modules/@malloydata/duckdb-wasm/dist/duckdb-eh.wasm";
import { SluiceError } from "#lib/base/errors.ts";
import { errorResponse, json } from "#lib/http/respond.ts";
import type { QueryRequest } from "#lib/sql/types.ts";
import { ExclusiveEngine } from "#platform/duckdb/exclusive.ts";
import { createLog } from "#platform/log.ts";
import { queryPorts } from "#platform/query-ports.ts";
import { answerQuery } from "./answer.ts";

const engine = new ExclusiveEngine(duckdb);

export default class extends WorkerEntrypoint<QueryEnv> {
  query(request: QueryRequest): Promise<Response> {
    const log = createLog("query", this.env.LOG_LEVEL);
    const { requestId } = request;
    const answer = answerQuery(request, queryPorts(this.env, engine), (error) => {
      if (error.code === "bug") log.error("query failed", error, { request_id: requestId });
      else log.info("query refused", { request_id: requestId, code: error.code });
    });
    // A client that hangs up must not take the engine's holder with it in the middle of a read.
    this.ctx.waitUntil(answer);
    return answer;
  }

  override fetch(request: Request): Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return json({ status: "ok" });
    const message = `no such route: ${pathname}`;
    return errorResponse(new SluiceError("route_unknown", message), crypto.randomUUID());
  }
}
