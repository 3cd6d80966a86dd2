// CSV: the grammar, the types of columns, and the times.

import { decode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KIND } from "#lib/columnar/kinds.ts";
import { type CsvContent, CsvFile, type CsvOptions } from "#lib/protocol/csv-import.ts";
import { CsvReader } from "#lib/protocol/csv-reader.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { parseTime } from "#lib/protocol/text-times.ts";
import { propertyRuns, PROPERTY_TIMEOUT_MS } from "../../helpers/property.ts";
import { refusalOf } from "../../helpers/refusal.ts";

const OPTIONS: CsvOptions = {
  measurement: "m",
  timeColumn: "time",
  timeFormat: null,
  delimiter: ",",
  skipLines: 0,
};

function recordsOf(text: string, delimiter = ","): string[][] {
  const reader = new CsvReader(text, delimiter);
  const records: string[][] = [];
  for (let record = reader.next(); record !== null; record = reader.next()) records.push(record);
  return records;
}

function scanCsv(text: string, options = OPTIONS): CsvContent {
  const file = new CsvFile(options);
  file.scan({ text, firstLine: 1 });
  return file.content;
}

function batchesOf(text: string, options = OPTIONS): Uint8Array[] {
  const file = new CsvFile(options);
  const whole = { text, firstLine: 1 };
  file.scan(whole);
  return [...file.batches(whole)];
}

function columnsOf(text: string, options = OPTIONS): Record<string, unknown[]> {
  const batches = batchesOf(text, options);
  expect(batches).toHaveLength(1);
  return (decode(batches[0]!, { useBigInt64: false }) as { columns: Record<string, unknown[]> })
    .columns;
}

describe("records", () => {
  test.each<[string, string[][]]>([
    [
      "a,b\n1,2\n",
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    [
      "a,b\r\n1,2",
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    ["\ufeffa\n1", [["a"], ["1"]]],
    ["a\n\n\r\nb\n", [["a"], ["b"]]],
    [
      ",\n,,",
      [
        ["", ""],
        ["", "", ""],
      ],
    ],
    ['"a","b ""c"""', [["a", 'b "c"']]],
    [
      '"x,y","one\ntwo"\n3,4',
      [
        ["x,y", "one\ntwo"],
        ["3", "4"],
      ],
    ],
    ['"",a', [["", "a"]]],
  ])("of %j", (text, records) => {
    expect(recordsOf(text)).toEqual(records);
  });

  test("with quotes that are wrong are refused with their line", () => {
    for (const bad of ['"a', 'a"b', '"a"b', 'a,"b\n\n']) {
      expect(refusalOf(() => recordsOf(`x\ny\n${bad}`))).toMatchObject({
        code: "csv_invalid",
        detail: { line: 3 },
      });
    }
  });

  test(
    "of any texts come back as they were written",
    () => {
      const field = fc.string({ unit: fc.constantFrom(...'ab;"\n\r 1é'.split("")), maxLength: 8 });
      const record = fc.array(field, { minLength: 2, maxLength: 5 });
      const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
      fc.assert(
        fc.property(
          fc.array(record, { maxLength: 10 }),
          fc.constantFrom("\n", "\r\n"),
          (all, end) => {
            const text = all.map((fields) => fields.map(quoted).join(";") + end).join("");
            expect(recordsOf(text, ";")).toEqual(all);
          },
        ),
        propertyRuns(300),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});

describe("a column", () => {
  test.each<[fields: string, kinds: number, values: unknown[]]>([
    ["1,-2,", KIND.int, [1, -2, null]],
    ["1,2.5,1e3", KIND.float, [1, 2.5, 1000]],
    ["true,FALSE,", KIND.bool, [true, false, null]],
    ["a,1,true", KIND.text, ["a", "1", "true"]],
    ["1,true,2", KIND.text, ["1", "true", "2"]],
    ["007,1,2", KIND.text, ["007", "1", "2"]],
    ["9223372036854775808,1,2", KIND.text, ["9223372036854775808", "1", "2"]],
    ["1e999,1,2", KIND.text, ["1e999", "1", "2"]],
    [",,", 0, [null, null, null]],
  ])("of %s has the type that holds all", (fields, kinds, values) => {
    const rows = fields.split(",").map((field, i) => `${i + 1},${field}`);
    const text = `time,v\n${rows.join("\n")}\n`;
    expect(scanCsv(text, OPTIONS).columns[1]!.kinds).toBe(kinds);
    expect(columnsOf(text)).toEqual({
      time: [1e6, 2e6, 3e6],
      v: values,
    });
  });

  test("may be the time under another name, in a stated unit, after lines to skip", () => {
    const text = "made by x\n\nat;v\n1000;1\n2000;2\n";
    const options = { ...OPTIONS, timeColumn: "at", delimiter: ";", skipLines: 1 };
    const inMs = { ...options, timeFormat: "epoch_ms" } as const;
    expect(columnsOf(text, inMs)).toEqual({ time: [1e6, 2e6], v: [1, 2] });
    const { timeMinUs, timeMaxUs, rowCount, dayCount } = scanCsv(text, options);
    expect([timeMinUs, timeMaxUs, rowCount, dayCount]).toEqual([
      1000_000_000n,
      2000_000_000n,
      2,
      1,
    ]);
  });
});

describe("a file in parts", () => {
  const HEADER = { text: "time,v\n", firstLine: 1 };
  const values = (batch: Uint8Array) =>
    (decode(batch) as { columns: Record<string, unknown[]> }).columns["v"];

  test.each<[first: string, second: string, values: unknown[], kinds: number, line: number]>([
    ["1", "2.5", [[1], [2.5]], KIND.float, 3],
    ["x", "12", [["x"], ["12"]], KIND.text, 2],
    ["12", "x", [[12], ["x"]], KIND.text, 3],
    ["", "true", [[null], [true]], KIND.bool, 3],
    ["true", "1", [[true], ["1"]], KIND.text, 3],
  ])("has columns of what came by then: %j, then %j", (first, second, written, kinds, line) => {
    const file = new CsvFile(OPTIONS);
    const parts = [first, second].map((field, i) => ({
      text: `${i === 0 ? HEADER.text : ""}1,${field}\n`,
      firstLine: 1 + 2 * i,
    }));
    const batches = parts.flatMap((part) => {
      file.scan(part);
      return [...file.batches(part)];
    });
    expect(batches.map(values)).toEqual(written);
    const column = file.content.columns[1]!;
    expect([column.kinds, Object.values(column.firstRows)]).toEqual([kinds, [line]]);
  });

  test("may begin with a header alone, and end with blank lines", () => {
    const file = new CsvFile(OPTIONS);
    const parts = [HEADER, { text: "1,\ufeffa\n", firstLine: 2 }, { text: "\n\n", firstLine: 3 }];
    for (const part of parts) file.scan(part);
    expect(file.content.rowCount).toBe(1);
    const batches = parts.map((part) => [...file.batches(part)]);
    expect(batches.map(({ length }) => length)).toEqual([0, 1, 0]);
  });

  test("names lines of the file", () => {
    const file = new CsvFile(OPTIONS);
    file.scan(HEADER);
    const refused = refusalOf(() => file.scan({ text: "1,2\nnoon,3\n", firstLine: 100 }));
    expect(refused).toMatchObject({ code: "time_invalid", detail: { line: 101 } });
  });
});

test("a large file becomes several batches, which hold all rows", () => {
  const line = `,${"x".repeat(90)}\n`;
  const text = `time,v\n${Array.from({ length: 100_000 }, (_, i) => i + line).join("")}`;
  const scans = batchesOf(text).map(scanBatch);
  expect(scans.length).toBeGreaterThan(1);
  expect(scans.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(100_000);
});

test.each<[what: string, text: string, code: string, detail: object]>([
  ["nothing", "", "csv_invalid", {}],
  ["no column of time", "a,b\n1,2\n", "parameter_invalid", { field: "time_column" }],
  ["a short record", "time,v\n1,2\n\n3\n", "csv_invalid", { line: 4 }],
  ["a time that is none", "time,v\n1,2\nnoon,3\n", "time_invalid", { line: 3 }],
  ["a missing time", "time,v\n,2\n", "time_invalid", { line: 2 }],
  ["a name that is there twice", "time,v,v\n1,2,3\n", "column_name_invalid", { column: "v" }],
  ["an empty name", "time,\n1,2\n", "column_name_invalid", {}],
  ["a name of 129 bytes", `time,${"x".repeat(129)}\n1,2\n`, "column_name_invalid", {}],
])("a file with %s is refused", (_, text, code, detail) => {
  expect(refusalOf(() => scanCsv(text, OPTIONS))).toMatchObject({ code, detail });
});

describe("a time", () => {
  test.each<[string, bigint]>([
    ["1767225600", 1767225600000000n],
    ["1767225600123", 1767225600123000n],
    ["1767225600123456", 1767225600123456n],
    ["1767225600123456789", 1767225600123456n],
    ["-1", -1000000n],
    ["2026-01-01T00:00:00Z", 1767225600000000n],
    ["2026-01-01 00:00:00.1234567", 1767225600123456n],
    ["2026-01-01T01:30:00+01:30", 1767225600000000n],
    ["1969-12-31t23:59:59.999999z", -1n],
  ])("%s", (text, us) => {
    expect(parseTime(text, null)).toBe(us);
  });

  test.each(["", "noon", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01", "1.5"])(
    "is not %j",
    (text) => {
      expect(refusalOf(() => parseTime(text, null)).code).toBe("time_invalid");
    },
  );

  test("beyond the year 9999 is refused", () => {
    expect(refusalOf(() => parseTime("9999999999999", "epoch_s")).code).toBe("value_out_of_range");
  });
});
