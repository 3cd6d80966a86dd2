import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { log, passOn } from "../../embedded/log.ts";

const written: string[] = [];
beforeEach(() => {
  written.length = 0;
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  vi.stubEnv("SLUICE_LOG_FORMAT", "json");
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const WORKER_LINE =
  '{"timestamp":"2026-10-11T10:30:45.123Z","level":"WARN","target":"sluice::query",' +
  '"message":"slow","fields":{"rows":1}}';

test("a Worker's line stays as it is", () => {
  passOn(WORKER_LINE);
  expect(written).toEqual([`${WORKER_LINE}\n`]);
});

test("workerd's own lines, and the supervisor's, have the same form", () => {
  const said = "workerd/io/worker.c++:2222: error: uncaught exception; a = 1";
  passOn(said);
  passOn("  at somewhere");
  passOn("");
  log("info", "two\nlines");
  expect(written.map((line) => JSON.parse(line))).toMatchObject([
    { level: "ERROR", target: "sluice::workerd", message: said, fields: {} },
    { level: "WARN", target: "sluice::workerd", message: "  at somewhere" },
    { level: "INFO", target: "sluice::supervisor", message: "two\nlines" },
  ]);
  for (const line of written) expect(line.indexOf("\n")).toBe(line.length - 1);
});

test("in a terminal, or when asked for, lines are for people", () => {
  vi.stubEnv("SLUICE_LOG_FORMAT", "pretty");
  passOn(WORKER_LINE);
  expect(written[0]).toContain("10:30:45.123");
  expect(written[0]).not.toContain('"timestamp"');
});
