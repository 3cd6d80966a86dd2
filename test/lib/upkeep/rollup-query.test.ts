import { describe, expect, test } from "vitest";
import { checkRollupQuery, fillRollupQuery, timeText } from "#lib/upkeep/rollup-query.ts";
import { refusalOf } from "../../helpers/refusal.ts";

const RANGE = { fromMs: Date.UTC(2026, 0, 5), toMs: Date.UTC(2026, 0, 6) };

describe("the times of a rollup's query", () => {
  test.each([
    ["time >= '{start_time}'", "time >= '2026-01-05T00:00:00Z'"],
    ["time < {end_time}", "time < '2026-01-06T00:00:00Z'"],
    ["TIMESTAMP '{start_time}'", "TIMESTAMP '2026-01-05T00:00:00Z'"],
    [
      "'it''s {start_time}' || {end_time}",
      "'it''s 2026-01-05T00:00:00Z' || '2026-01-06T00:00:00Z'",
    ],
    ['"{start_time}" -- {end_time}\n', '"{start_time}" -- {end_time}\n'],
    ["/* '{start_time}' */ {start_time}", "/* '{start_time}' */ '2026-01-05T00:00:00Z'"],
  ])("are put into %s", (query, filled) => {
    expect(fillRollupQuery(query, RANGE)).toBe(filled);
  });

  test("are both demanded, where they are not in a comment", () => {
    checkRollupQuery("SELECT {start_time}, '{end_time}'");
    for (const query of [
      "SELECT 1",
      "SELECT {start_time}",
      "SELECT '{end_time}' -- {start_time}",
    ]) {
      expect(refusalOf(() => checkRollupQuery(query))).toMatchObject({
        code: "parameter_invalid",
        detail: { field: "query" },
      });
    }
  });

  test("stay within the times that an event can have", () => {
    expect(timeText(Date.UTC(2026, 0, 5) + 1)).toBe("2026-01-05T00:00:00.001Z");
    expect(timeText(-1e15)).toBe("0001-01-01T00:00:00Z");
    expect(timeText(1e15)).toBe("9999-12-31T23:59:59.999Z");
  });
});
