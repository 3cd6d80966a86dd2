// One span: made and ended, not recorded, told to the hub, sent to a collector, stored as a row.

import { serialize } from "node:v8";
import { gzipSync } from "node:zlib";
import { tracesRequest } from "#lib/telemetry/otlp.ts";
import { traceRows } from "#lib/telemetry/own-rows.ts";
import { type FinishedSpan, Tracer } from "#lib/telemetry/span.ts";
import { printFigure, printMachine } from "./report.ts";

const ROUNDS = 7;
const SPANS = 20_000;
const BATCH = 512;

let finished: FinishedSpan[] = [];
/** As platform/telemetry.ts makes them. */
const ports = {
  nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1_000),
  randomHex: (digits: number) =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(digits / 2))).toString("hex"),
  random: Math.random,
  finish: (span: FinishedSpan) => void finished.push(span),
};
const recorded = new Tracer(ports, "front-door", 1).start("request", null);
const unrecorded = new Tracer(ports, "front-door", 0).start("request", null);

printMachine();
const make = (span: typeof recorded) => () => {
  finished = [];
  for (let i = 0; i < SPANS; i++) {
    const child = span.child("append", { attributes: { "sluice.rows": i } });
    child.note({ "sluice.database": "default" });
    child.end();
  }
};
printFigure("made, noted and ended", measure(make(recorded)), "µs/span");
printFigure("of a trace that is not recorded", measure(make(unrecorded)), "µs/span");
make(recorded)();
const batches = Array.from({ length: Math.floor(SPANS / BATCH) }, (_, i) =>
  finished.slice(i * BATCH, (i + 1) * BATCH),
);
const each = (work: (spans: readonly FinishedSpan[]) => unknown) =>
  measure(() => batches.forEach(work));
printFigure("copied for another isolate", each(serialize), "µs/span");
const send = (spans: readonly FinishedSpan[]) => gzipSync(tracesRequest(spans, "production"));
printFigure("as OTLP, compressed", each(send), "µs/span");
printFigure("as a row of `traces`, compressed", each(traceRows), "µs/span");

/** µs of one span in each round, after rounds that let the compiler warm up. */
function measure(run: () => unknown): number[] {
  const rounds = Array.from({ length: 3 + ROUNDS }, () => {
    const startMs = performance.now();
    run();
    return ((performance.now() - startMs) * 1_000) / SPANS;
  });
  return rounds.slice(3);
}
