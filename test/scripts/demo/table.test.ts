import { describe, expect, test } from "vitest";

import { formatAnswer } from "../../../scripts/demo/table.ts";

describe("formatAnswer", () => {
  test("aligns text to the left and numbers to the right, with two digits", () => {
    const answer = {
      columns: ["type", "count", "avg"],
      data: [
        ["user_login", 12, 0.125],
        ["x", 3456, null],
      ],
    };
    expect(formatAnswer(answer, 80)).toEqual([
      "type        count   avg",
      "----------  -----  ----",
      "user_login     12  0.13",
      "x            3456",
    ]);
  });

  test("shows eight rows and counts the others", () => {
    const data = Array.from({ length: 11 }, (_, i) => [i]);
    const lines = formatAnswer({ columns: ["n"], data }, 80);
    expect(lines).toHaveLength(2 + 8 + 1);
    expect(lines.at(-1)).toBe("… 3 more rows");
  });

  test("clips the widest column first", () => {
    const answer = { columns: ["id", "message"], data: [["abc", "a".repeat(100)]] };
    expect(formatAnswer(answer, 30)[2]).toBe(`abc  ${"a".repeat(24)}…`);
  });

  test("leaves out the columns on the right that do not fit even when clipped", () => {
    const columns = Array.from({ length: 12 }, (_, i) => `column_number_${i}`);
    const lines = formatAnswer({ columns, data: [columns] }, 80);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.at(-1)).toBe("… 7 more columns");
  });

  test("writes times to the second", () => {
    const data = [["2026-11-21T22:46:29.430Z", "since 2026-11-21T22:46:29Z"]];
    expect(formatAnswer({ columns: ["time", "text"], data }, 80)[2]).toBe(
      "2026-11-21 22:46:29  since 2026-11-21T22:46:29Z",
    );
  });

  test("says so when there is no row", () => {
    expect(formatAnswer({ columns: ["n"], data: [] }, 80)).toEqual(["(no rows)"]);
  });

  test("writes lists as JSON and no control characters", () => {
    const data = [[["1.2.3.4"], "a\u001b[2Jb"]];
    expect(formatAnswer({ columns: ["ips", "text"], data }, 80)[2]).toBe('["1.2.3.4"]  a [2Jb');
  });
});
