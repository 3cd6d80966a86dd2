// Where a statement ends.

import { describe, expect, test } from "vitest";

import { splitStatements } from "../../../clients/cli/query/statements.ts";

describe("splitStatements", () => {
  test("splits at semicolons and keeps what is not ended", () => {
    expect(splitStatements("SELECT 1; SELECT 2;\nSELECT")).toEqual({
      statements: ["SELECT 1", "SELECT 2"],
      rest: "\nSELECT",
    });
  });

  test.each([
    ["'a;''b;'", "a quoted text"],
    [`"a;""b"`, "a quoted name"],
    ["1 -- a; comment\n", "a comment to the end of the line"],
    ["1 /* a; \n comment */", "a comment between marks"],
    ["3-2 /1", "minus and divided by"],
  ])("does not split %j: %s", (text) => {
    expect(splitStatements(`SELECT ${text};`)).toEqual({
      statements: [`SELECT ${text}`.trim()],
      rest: "",
    });
  });

  test.each(["SELECT 'a;", 'SELECT "a;\n', "SELECT 1 /* ;", "/* a"])("goes on in %j", (text) => {
    expect(splitStatements(text)).toEqual({ statements: [], rest: text });
  });

  test("has nothing to ask of empty statements and comments", () => {
    expect(splitStatements(" ;; -- x\n ; /* y */ \n")).toEqual({ statements: [], rest: "" });
  });
});
