// Which format a request asks for, by the rules of RFC 9110, 12.5.1.

import { expect, test } from "vitest";
import { chooseFormat } from "#lib/sql/results/format.ts";

test.each([
  [null, "json"],
  ["*/*", "json"],
  ["text/html, */*;q=0.1", "json"],
  ["text/csv", "csv"],
  ["TEXT/CSV; charset=utf-8", "csv"],
  ["text/csv, application/json", "csv"],
  ["text/csv;q=0.5, application/json;q=0.9", "json"],
  ["application/json;q=0.1, application/x-ndjson ; q=0.2", "ndjson"],
  ["application/json;q=0, text/csv", "csv"],
  ["text/csv;q=0", "json"],
  ["text/csv;q=much, application/msgpack;q=0.9", "csv"],
])("Accept: %s means %s", (accept, format) => {
  expect(chooseFormat(undefined, accept)).toBe(format);
});

test("the request's own word counts before Accept", () => {
  expect(chooseFormat("arrow", "text/csv")).toBe("arrow");
  expect(chooseFormat(null, "text/csv")).toBe("csv");
  expect(() => chooseFormat("xml", "text/csv")).toThrow('"format" must be one of');
});
