import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { isLogged, parseLogLevels } from "#lib/telemetry/log-levels.ts";
import { logLine, parseLogLine, prettyLogLine } from "#lib/telemetry/log-line.ts";
import type { LogRecord } from "#lib/telemetry/log-record.ts";

const RECORD: LogRecord = {
  timeMs: Date.UTC(2026, 9, 11, 10, 30, 45, 123),
  level: "info",
  target: "sluice::query",
  message: "query refused",
  fields: { code: "sql_invalid", rows: 12, files: ["a b", "c"] },
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
};

describe("a log line", () => {
  test("is one line of JSON in the format of the specification", () => {
    expect(logLine(RECORD)).toBe(
      '{"timestamp":"2026-10-11T10:30:45.123Z","level":"INFO","target":"sluice::query",' +
        '"message":"query refused","fields":{"code":"sql_invalid","rows":12,' +
        '"files":["a b","c"]},"span":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",' +
        '"span_id":"00f067aa0ba902b7"}}',
    );
  });

  test("outside of a trace has no span, and never a line break", () => {
    const line = logLine({ ...RECORD, message: "a\nb", traceId: null, spanId: null });
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).not.toHaveProperty("span");
  });

  test("can be read back", () => {
    for (const record of [RECORD, { ...RECORD, traceId: null, spanId: null }]) {
      expect(parseLogLine(logLine(record))).toEqual(record);
    }
    for (const other of ["", "workerd/server.c++:1: error: x", '{"a":1}', '{"timestamp":']) {
      expect(parseLogLine(other)).toBeNull();
    }
  });

  test("is plain for who watches a terminal, and a stack follows it", () => {
    const fields = { ...RECORD.fields, stack: "Error: x\n  at y" };
    expect(stripVTControlCharacters(prettyLogLine({ ...RECORD, fields }))).toBe(
      '10:30:45.123  INFO query query refused code=sql_invalid rows=12 files="[\\"a b\\",\\"c\\"]"' +
        "\nError: x\n  at y",
    );
  });
});

describe("LOG_LEVEL", () => {
  const levels = parseLogLevels("warn, query=debug,parquet-writer=ERROR");

  test("is one level for all, and others for single components", () => {
    expect(isLogged(levels, "ingest", "info")).toBe(false);
    expect(isLogged(levels, "ingest", "warn")).toBe(true);
    expect(isLogged(levels, "query", "debug")).toBe(true);
    expect(isLogged(levels, "parquet-writer", "warn")).toBe(false);
    expect(isLogged(levels, "parquet-writer", "error")).toBe(true);
  });

  test.each(["", "loud", "query=loud", "constructor"])("%j leaves it at info", (text) => {
    expect(isLogged(parseLogLevels(text), "query", "info")).toBe(true);
    expect(isLogged(parseLogLevels(text), "query", "debug")).toBe(false);
  });
});
