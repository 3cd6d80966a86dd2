// One call of the object store: timed, counted by what came of it, and a span of the work that it
// is part of. The only place where such calls become metrics.

import * as metrics from "#lib/telemetry/metrics/lake.ts";
import { inSpan, type Span } from "#lib/telemetry/span.ts";
import { meter } from "./telemetry.ts";

/** `outcomeOf` a call that did not throw: `ok`, `missing` or `conflict`. */
export async function countCall<T>(
  operation: string,
  call: () => Promise<T>,
  span: Span,
  outcomeOf: (result: T) => string = () => "ok",
): Promise<T> {
  const startMs = Date.now();
  let outcome = "error";
  try {
    const result = await inSpan(span, `R2 ${operation}`, call, { kind: "client" });
    outcome = outcomeOf(result);
    return result;
  } finally {
    meter.add(metrics.operations, 1, operation, outcome);
    meter.observe(metrics.seconds, (Date.now() - startMs) / 1_000, operation);
  }
}

export function countWritten(byteLength: number): void {
  meter.add(metrics.bytesWritten, byteLength);
}

export function countRead(byteLength: number): void {
  meter.add(metrics.bytesRead, byteLength);
}
