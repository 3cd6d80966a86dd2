// What a collector's answer means for the batch that it was sent: taken, to be sent again, or
// refused for good. OTLP 1, "OTLP/HTTP Response" (https://opentelemetry.io/docs/specs/otlp/).

export type SendOutcome =
  /** `rejectedCount`: so many of the batch the collector has let go. */
  | { readonly kind: "taken"; readonly rejectedCount: number }
  /** `waitMs`: what it asked for; null: nothing. */
  | { readonly kind: "later"; readonly waitMs: number | null }
  | { readonly kind: "refused" };

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** `body`: of an answer that is a success, empty or JSON. */
export function judgeOtlpAnswer(
  status: number,
  retryAfter: string | null,
  body: string,
  nowMs: number,
): SendOutcome {
  if (status >= 200 && status < 300) return { kind: "taken", rejectedCount: rejectedCount(body) };
  if (RETRYABLE.has(status)) return { kind: "later", waitMs: waitMsOf(retryAfter, nowMs) };
  return { kind: "refused" };
}

interface Answer {
  /** An int64, which is text in OTLP's JSON. */
  readonly partialSuccess?: {
    readonly rejectedSpans?: string | number;
    readonly rejectedLogRecords?: string | number;
  };
}

function rejectedCount(body: string): number {
  let answer: Answer;
  try {
    answer = JSON.parse(body) as Answer;
  } catch {
    // Nothing, or Protobuf: then all was taken, as far as we can read.
    return 0;
  }
  const { rejectedSpans = 0, rejectedLogRecords = 0 } = answer?.partialSuccess ?? {};
  const count = Number(rejectedSpans) + Number(rejectedLogRecords);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** RFC 9110, 10.2.3: seconds or a date. */
function waitMsOf(retryAfter: string | null, nowMs: number): number | null {
  if (retryAfter === null) return null;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const atMs = Date.parse(retryAfter);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
