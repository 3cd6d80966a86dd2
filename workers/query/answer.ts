// A query's answer as an HTTP response: whole when it is small, streamed when it is not.
//
// Small answers are built first, so that an error late in the query still gets its own status. An
// error after a streamed answer has begun is its last line where the format has lines of objects,
// and elsewhere breaks the stream off: the client sees a body that ends before its time, and not
// fewer rows than there are.

import { errorKind, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { asSluiceError, ERROR_HEADER } from "#lib/http/respond.ts";
import { ByteWriter } from "#lib/parquet/byte-writer.ts";
import { errorAnswer } from "#lib/sql/error-answer.ts";
import { EstimateResult } from "#lib/sql/results/estimate.ts";
import { resultWriter } from "#lib/sql/results/format.ts";
import type { ResultWriter } from "#lib/sql/results/writer.ts";
import type { QueryRequest } from "#lib/sql/types.ts";
import { newProgress, type QueryPorts, type QueryProgress } from "./run-query.ts";
import { runQuery, type Watch } from "./run-query.ts";
import { Stages } from "./stages.ts";

/** Called once for a query that failed, with what is told outside and what caused it. */
export type ReportFailure = (error: SluiceError) => void;

/** `abandoned` ends the query until this resolves; from then on the body's reader does. */
export async function answerQuery(
  request: QueryRequest,
  ports: QueryPorts,
  report: ReportFailure,
  abandoned: AbortSignal,
): Promise<Response> {
  const { question, result } = request;
  const isEstimate = question.kind === "sql" && question.isEstimate;
  const writer = isEstimate ? new EstimateResult() : resultWriter(result);
  const headers = { ...writerHeaders(writer), ...idHeaders(request) };
  const progress = newProgress();
  const deadline = startDeadline((cancel) => ports.watch(request, progress, cancel));
  const stages = new Stages(() => ports.nowMs());
  const run = runQuery(request, ports, writer, stages, progress, deadline.signal);
  const parts = countBytes(run, progress);
  abandoned.addEventListener("abort", deadline.abort);
  try {
    const { begun, isWhole } = await collect(parts);
    const timed = { ...headers, "server-timing": stages.serverTiming() };
    if (!isWhole) {
      return new Response(streamOf(begun, parts, writer, deadline, report), { headers: timed });
    }
    deadline.stop("done");
    const tookMs = String(Math.round(stages.times().executionMs));
    return new Response(begun, { headers: { ...timed, "arc-execution-time-ms": tookMs } });
  } catch (caught) {
    const error = asSluiceError(caught);
    deadline.stop(error.code);
    report(error);
    return refuse(error, request, ports.nowMs());
  } finally {
    abandoned.removeEventListener("abort", deadline.abort);
  }
}

async function* countBytes(
  parts: AsyncGenerator<Uint8Array, void>,
  progress: QueryProgress,
): AsyncGenerator<Uint8Array, void> {
  for await (const part of parts) {
    progress.byteCount += part.byteLength;
    yield part;
  }
}

function writerHeaders({ contentType, fileName }: ResultWriter): Record<string, string> {
  if (fileName === undefined) return { "content-type": contentType };
  const disposition = `attachment; filename="${fileName}"`;
  return { "content-type": contentType, "content-disposition": disposition };
}

/** Arc's header tells the id by which the query can be cancelled. */
function idHeaders({ requestId, queryId }: QueryRequest): Record<string, string> {
  return { "x-request-id": requestId, "x-arc-query-id": queryId };
}

function refuse(error: SluiceError, request: QueryRequest, nowMs: number): Response {
  const { status, body } = errorAnswer(error, request.requestId, nowMs);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    [ERROR_HEADER]: error.code,
    ...idHeaders(request),
  };
  if (["overloaded", "unavailable"].includes(errorKind(error.code))) {
    headers["retry-after"] = String(error.detail["retry_after_s"] ?? 1);
  }
  return new Response(body, { status, headers });
}

interface Deadline {
  readonly signal: AbortSignal;
  abort(): void;
  stop(outcome: string): void;
}

function startDeadline(watch: (cancel: () => void) => Watch): Deadline {
  const controller = new AbortController();
  const seconds = LIMITS.queryTimeoutMs / 1_000;
  const expire = () => {
    const message = `Query timed out after ${seconds} s; narrow the time range`;
    controller.abort(new SluiceError("query_timeout", message, { limit_s: seconds }));
  };
  const timer = setTimeout(expire, LIMITS.queryTimeoutMs);
  const { end } = watch(() => {
    controller.abort(new SluiceError("query_cancelled", "the query was cancelled"));
  });
  return {
    signal: controller.signal,
    abort: () => controller.abort(new SluiceError("query_timeout", "the client went away")),
    stop(outcome) {
      clearTimeout(timer);
      end(outcome);
    },
  };
}

/** The answer's first `queryBufferBytesMax` bytes and a part, or all of it. */
async function collect(
  parts: AsyncGenerator<Uint8Array, void>,
): Promise<{ begun: Uint8Array<ArrayBuffer>; isWhole: boolean }> {
  const begun = new ByteWriter();
  while (begun.length <= LIMITS.queryBufferBytesMax) {
    const { value, done } = await parts.next();
    if (done === true) return { begun: begun.written(), isWhole: true };
    begun.append(value);
  }
  return { begun: begun.written(), isWhole: false };
}

/** A client that is slow or gone holds the engine no longer than the deadline. */
function streamOf(
  begun: Uint8Array,
  parts: AsyncGenerator<Uint8Array, void>,
  writer: ResultWriter,
  deadline: Deadline,
  report: ReportFailure,
): ReadableStream<Uint8Array> {
  deadline.signal.addEventListener("abort", () => void parts.return());
  return new ReadableStream({
    start(controller) {
      controller.enqueue(begun);
    },
    async pull(controller) {
      try {
        const part = await nextPart(parts);
        deadline.signal.throwIfAborted();
        if (part !== null) return controller.enqueue(part);
        deadline.stop("done");
        controller.close();
      } catch (caught) {
        const error = asSluiceError(caught);
        deadline.stop(error.code);
        report(error);
        if (writer.fail === undefined) return controller.error(error);
        controller.enqueue(writer.fail(error));
        controller.close();
      }
    },
    cancel() {
      deadline.stop("abandoned");
      deadline.abort();
    },
  });
}

/** The next part that is not empty; null: there is none. */
async function nextPart(parts: AsyncGenerator<Uint8Array, void>): Promise<Uint8Array | null> {
  for (;;) {
    const { value, done } = await parts.next();
    if (done === true) return null;
    if (value.byteLength > 0) return value;
  }
}
