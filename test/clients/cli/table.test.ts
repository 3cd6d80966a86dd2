// Tables: alignment, clipping, and text that would rewrite the terminal.

import { describe, expect, test } from "vitest";

import { formatTable } from "../../../clients/cli/query/table.ts";

describe("formatTable", () => {
  test("aligns numbers to the right, bigints and NULLs among them, and texts to the left", () => {
    const data = [
      ["a", 1],
      ["bcd", 2n ** 60n],
      ["e", null],
    ];
    expect(formatTable({ columns: ["name", "n"], data }, 80, 10)).toEqual([
      "name                    n",
      "----  -------------------",
      "a                       1",
      "bcd   1152921504606846976",
      "e",
    ]);
  });

  test("counts emoji and East Asian letters as two columns, accents as none", () => {
    const data = [
      ["日本", "x"],
      ["👋a", "x"],
      ["e\u0301", "x"],
    ];
    expect(formatTable({ columns: ["c", "d"], data }, 80, 10).slice(2)).toEqual([
      "日本  x",
      "👋a   x",
      "e\u0301     x",
    ]);
  });

  test("fits the width: clips the widest, then leaves columns out and says so", () => {
    const columns = ["a", "b", "c"];
    const data = [["x".repeat(30), "y".repeat(30), "z".repeat(30)]];
    const lines = formatTable({ columns, data }, 40, 10);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
    expect(lines[2]).toContain("…");
    expect(formatTable({ columns, data }, 30, 10).at(-1)).toBe("… 1 more columns");
  });

  test("clips nothing where there is no width", () => {
    const data = [["x".repeat(500)]];
    expect(formatTable({ columns: ["a"], data }, Infinity, 10)[2]).toHaveLength(500);
  });

  test("says how many rows are left out", () => {
    const data = Array.from({ length: 5 }, (_, i) => [i]);
    expect(formatTable({ columns: ["a"], data }, 80, 3).at(-1)).toBe("… 2 more rows");
    expect(formatTable({ columns: ["a"], data: [] }, 80, 3)).toEqual(["(no rows)"]);
  });

  test("shows no control characters, neither of values nor of names", () => {
    const data = [["a\u001b[2Jb", { x: "\u0007" }]];
    const text = formatTable({ columns: ["n\u001b", "o"], data }, 80, 10).join("");
    expect(text).not.toMatch(/\p{Cc}/u);
  });
});
