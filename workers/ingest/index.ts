// Step 1 of a batch's life: it arrives at the front door, which asks who sends it.
//
// Every request comes in here: writes are handled in this Worker, queries are handed to the query
// Worker, so that a heavy query cannot take ingestion down with it. Routes and what each demands
// are one table, routes.ts.
//
// Also the home of the Durable Object classes, which live in exactly one Worker.
// Next: workers/ingest/write.ts.

import { createLog } from "#platform/log.ts";
import { reportSoon } from "#platform/telemetry.ts";
import { RequestTelemetry } from "./request-telemetry.ts";
import { answer } from "./routes.ts";
import { wakeBuffers } from "./sweep.ts";

export { AlertRules } from "../../durable-objects/alert-rules.ts";
export { DatabaseBuffer } from "../../durable-objects/database-buffer.ts";
export { DatabaseCatalog } from "../../durable-objects/database-catalog.ts";
export { Directory } from "../../durable-objects/directory.ts";
export { EventStream } from "../../durable-objects/event-stream.ts";
export { QueryRegistry } from "../../durable-objects/query-registry.ts";
export { TelemetryHub } from "../../durable-objects/telemetry-hub.ts";
export { HostLine } from "./host-line.ts";

/** An id from outside is taken over, if it is short and plain, so that one id follows a request. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

export default {
  async fetch(request, env, ctx) {
    const given = request.headers.get("x-request-id") ?? "";
    const requestId = REQUEST_ID.test(given) ? given : crypto.randomUUID();
    const telemetry = new RequestTelemetry(request, env.TRACE_SAMPLE_RATIO);
    const log = createLog("ingest", env.LOG_LEVEL, telemetry.span.context);
    const response = await answer({ request, env, requestId, log, telemetry });
    reportSoon("front-door", env, (work) => ctx.waitUntil(work));
    return response;
  },
  async scheduled(_, env, ctx) {
    await wakeBuffers(env);
    reportSoon("front-door", env, (work) => ctx.waitUntil(work));
  },
} satisfies ExportedHandler<IngestEnv>;
