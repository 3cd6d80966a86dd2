// A query's answer as an HTTP response: whole when it is small, streamed when it is not.
//
// Small answers are built first, so that an error late in the query still gets its own status. An
// error after a streamed answer has begun breaks the stream off: the client sees a body that ends
// before its JSON does, and not fewer rows than there are.

import { errorKind, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { asSluiceError } from "#lib/http/respond.ts";
import { errorAnswer } from "#lib/sql/response.ts";
import type { QueryRequest } from "#lib/sql/types.ts";
import { type QueryPorts, runQuery } from "./run-query.ts";

/** Called once for a query that failed, with what is told outside and what caused it. */
export type ReportFailure = (error: SluiceError) => void;

/** `abandoned` ends the query until this resolves; from then on the body's reader does. */
export async function answerQuery(
  request: QueryRequest,
  ports: QueryPorts,
  report: ReportFailure,
  abandoned: AbortSignal,
): Promise<Response> {
  const { requestId } = request;
  const headers = { "content-type": "application/json", "x-request-id": requestId };
  const deadline = startDeadline();
  const parts = runQuery(request, ports, deadline.signal);
  abandoned.addEventListener("abort", deadline.abort);
  try {
    const { text, isWhole } = await collect(parts);
    if (!isWhole) return new Response(streamOf(text, parts, deadline, report), { headers });
    deadline.stop();
    return new Response(text, { headers });
  } catch (caught) {
    deadline.stop();
    const error = asSluiceError(caught);
    report(error);
    const { status, body } = errorAnswer(error, requestId, ports.nowMs());
    const isPassing = ["overloaded", "unavailable"].includes(errorKind(error.code));
    const wait = { "retry-after": String(error.detail["retry_after_s"] ?? 1) };
    return new Response(body, { status, headers: { ...headers, ...(isPassing ? wait : {}) } });
  } finally {
    abandoned.removeEventListener("abort", deadline.abort);
  }
}

interface Deadline {
  readonly signal: AbortSignal;
  abort(): void;
  stop(): void;
}

function startDeadline(): Deadline {
  const controller = new AbortController();
  const seconds = LIMITS.queryTimeoutMs / 1_000;
  const expire = () => {
    const message = `Query timed out after ${seconds} s; narrow the time range`;
    controller.abort(new SluiceError("query_timeout", message, { limit_s: seconds }));
  };
  const timer = setTimeout(expire, LIMITS.queryTimeoutMs);
  return {
    signal: controller.signal,
    abort: () => controller.abort(new SluiceError("query_timeout", "the client went away")),
    stop: () => clearTimeout(timer),
  };
}

/** Up to `queryBufferBytesMax` of the answer; characters stand for bytes here. */
async function collect(
  parts: AsyncGenerator<string, void>,
): Promise<{ text: string; isWhole: boolean }> {
  let text = "";
  while (text.length <= LIMITS.queryBufferBytesMax) {
    const { value, done } = await parts.next();
    if (done === true) return { text, isWhole: true };
    text += value;
  }
  return { text, isWhole: false };
}

/** A client that is slow or gone holds the engine no longer than the deadline. */
function streamOf(
  begun: string,
  parts: AsyncGenerator<string, void>,
  deadline: Deadline,
  report: ReportFailure,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  deadline.signal.addEventListener("abort", () => void parts.return());
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode(begun));
    },
    async pull(controller) {
      try {
        const { value, done } = await parts.next();
        deadline.signal.throwIfAborted();
        if (done !== true) return controller.enqueue(encoder.encode(value));
        deadline.stop();
        controller.close();
      } catch (caught) {
        deadline.stop();
        const error = asSluiceError(caught);
        report(error);
        controller.error(error);
      }
    },
    cancel() {
      deadline.stop();
      deadline.abort();
    },
  });
}
