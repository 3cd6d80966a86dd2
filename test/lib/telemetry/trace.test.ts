import { describe, expect, test } from "vitest";
import { type FinishedSpan, inSpan, Tracer } from "#lib/telemetry/span.ts";
import { formatTraceparent, parseTraceparent } from "#lib/telemetry/trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

function newTracer(ratio: number) {
  const finished: FinishedSpan[] = [];
  let digit = 0;
  let nowUs = 0;
  const ports = {
    nowUs: () => (nowUs += 10),
    randomHex: (digits: number) => (++digit).toString(16).padStart(digits, "0"),
    random: () => 0.5,
    finish: (span: FinishedSpan) => void finished.push(span),
  };
  return { tracer: new Tracer(ports, "ingest", ratio), finished };
}

describe("traceparent", () => {
  test("is read and written as the recommendation says", () => {
    const header = `00-${TRACE}-${SPAN}-01`;
    const context = parseTraceparent(header)!;
    expect(context).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: true });
    expect(formatTraceparent(context)).toBe(header);
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)!.isSampled).toBe(false);
  });

  test("of a later version may say more", () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes-then`)).not.toBeNull();
  });

  test.each([
    null,
    "",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
  ])("%s begins a new trace", (header) => {
    expect(parseTraceparent(header)).toBeNull();
  });
});

describe("spans", () => {
  test("of one piece of work hang together, also when it fails", async () => {
    const { tracer, finished } = newTracer(1);
    const parent = { traceId: TRACE, spanId: SPAN, isSampled: true };
    const root = tracer.start("write", parent, { kind: "server" });
    await inSpan(root, "read", async (span) => span.note({ bytes: 7 }));
    const failing = inSpan(root, "append", async () => {
      throw new Error("no room");
    });
    await expect(failing).rejects.toThrow("no room");
    root.end();
    root.end();
    const [read, append, write] = finished;
    expect(finished).toHaveLength(3);
    expect(write).toMatchObject({
      traceId: TRACE,
      parentSpanId: SPAN,
      kind: "server",
      error: null,
    });
    expect(read).toMatchObject({ parentSpanId: write!.spanId, attributes: { bytes: 7 } });
    expect(append).toMatchObject({ parentSpanId: write!.spanId, error: "no room" });
    expect(write!.endUs).toBeGreaterThan(append!.endUs);
  });

  test("are recorded as the one who began the trace has decided", () => {
    const { tracer, finished } = newTracer(1);
    tracer.start("a", { traceId: TRACE, spanId: SPAN, isSampled: false }).end();
    expect(finished).toEqual([]);
    const never = newTracer(0.5);
    const span = never.tracer.start("a", null);
    span.child("b").end();
    expect(span.context.isSampled).toBe(false);
    expect(never.finished).toEqual([]);
    expect(newTracer(0.6).tracer.start("a", null).context.isSampled).toBe(true);
  });
});
