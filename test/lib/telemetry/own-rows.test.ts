import { expect, test } from "vitest";
import { pillarOf } from "#lib/correlate/pillars.ts";
import { growSchema } from "#lib/catalog/schema-rules.ts";
import { KIND } from "#lib/columnar/kinds.ts";
import type { LogRecord } from "#lib/telemetry/log-record.ts";
import { isLogOf, isSpanOf, logRows, traceRows } from "#lib/telemetry/own-rows.ts";
import type { OwnBatch } from "#lib/protocol/own-batch.ts";
import type { FinishedSpan } from "#lib/telemetry/span.ts";

const SPAN: FinishedSpan = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentSpanId: null,
  component: "query",
  name: "query",
  kind: "server",
  startUs: 1_763_000_000_123_456,
  endUs: 1_763_000_000_125_000,
  attributes: { "sluice.database_id": 7 },
  error: null,
  links: [],
};

const LOG: LogRecord = {
  timeMs: 1_763_000_000_123,
  level: "warn",
  target: "sluice::query",
  message: "slow",
  fields: {},
  traceId: null,
  spanId: null,
};

function pillar(name: string, { scan }: OwnBatch) {
  const columns = growSchema([], scan.columns);
  return pillarOf({ tableId: 1, measurement: name, columns, version: 1 } as never)?.pillar;
}

test("spans are what correlation takes for traces, log records what it takes for logs", () => {
  expect(pillar("traces", traceRows([SPAN]))).toBe("traces");
  expect(pillar("logs", logRows([LOG]))).toBe("logs");
});

test("a column without a value in a batch has its type all the same", () => {
  for (const { scan } of [traceRows([SPAN, SPAN]), logRows([LOG])]) {
    expect(scan.columns.filter(({ kinds }) => kinds === 0)).toEqual([]);
  }
  const { scan } = traceRows([SPAN]);
  expect(scan.columns.find(({ name }) => name === "parent_span_id")).toMatchObject({
    kinds: KIND.text,
    nullCount: 1,
  });
});

test("rows have the times of what they tell of", () => {
  const later = { ...SPAN, startUs: SPAN.startUs + 5_000_000, error: "query_timeout" };
  const { scan } = traceRows([later, SPAN]);
  expect(scan).toMatchObject({ measurement: "traces", rowCount: 2 });
  expect(scan.time).toMatchObject({ timeMinMs: 1_763_000_000_123, timeMaxMs: 1_763_000_005_124 });
});

test("what tells of a database is known by the names that objects have", () => {
  expect(isSpanOf(SPAN, 7)).toBe(true);
  expect(isSpanOf(SPAN, 8)).toBe(false);
  const of = (fields: LogRecord["fields"]) => isLogOf({ ...LOG, fields }, 7);
  expect(
    [{ database_id: 7 }, { buffer: "7-0" }, { catalog: "7" }, { stream: "7" }].map(of),
  ).toEqual([true, true, true, true]);
  expect([{}, { buffer: "70-0" }, { catalog: "77" }, { database_id: 8 }].map(of)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
