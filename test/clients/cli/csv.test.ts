// CSV: every cut of the stream gives the same records, and types go by all fields so far.

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { readRecords } from "../../../clients/cli/write/csv.ts";
import { CsvTypes } from "../../../clients/cli/write/csv-types.ts";
import { readCsv, readNdjson } from "../../../clients/cli/write/rows.ts";
import { propertyRuns } from "../../helpers/property.ts";

describe("readRecords", () => {
  test("reads quotes, doubled quotes, line ends inside quotes, and tells NULL from empty", async () => {
    const text = 'a,b,c\r\n1,"x ""y""\nz",\n\n,"",é\n';
    expect(await records(text)).toEqual([
      { fields: ["a", "b", "c"], lineNumber: 1 },
      { fields: ["1", 'x "y"\nz', null], lineNumber: 2 },
      { fields: [null, "", "é"], lineNumber: 5 },
    ]);
  });

  test("gives back what was written, wherever the stream is cut", async () => {
    const field = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "b", ",", '"', "\r", "\n", " ", "é", "👋") }),
      fc.constant(null),
    );
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (rows, size) => {
        const text = rows.map((row) => row.map(quoted).join(",")).join("\r\n");
        const found = (await records(text, size)).map(({ fields }) => fields);
        expect(found).toEqual(rows.filter((row) => row.length > 0));
      }),
      propertyRuns(300),
    );
  });

  test("refuses a quote in the middle of a field, and one that is not closed, with the line", async () => {
    await expect(records('a\nx"y"\n')).rejects.toThrow("line 2: a quote");
    await expect(records('a\nb\n"c\nd')).rejects.toThrow("line 3: a quote");
  });
});

describe("readCsv", () => {
  test("refuses a line with too many fields, and two columns of one name", async () => {
    await expect(rowsOf("a,b\n1,2,3\n")).rejects.toThrow("line 2: 3 fields under 2 columns");
    await expect(rowsOf("a,a\n")).rejects.toThrow('two columns are called "a"');
    await expect(rowsOf("time;a\n1;2\n")).rejects.toThrow("line 1: columns are parted by commas");
  });
});

describe("CsvTypes", () => {
  test("makes a column what all its fields are", () => {
    const row = {
      i: "7",
      big: "123456789012345678",
      f: "1.5e3",
      b: "TRUE",
      t: "x",
      z: "007",
      n: null,
    };
    expect(new CsvTypes().convert([row])).toEqual([
      { i: 7, big: 123456789012345678n, f: 1500, b: true, t: "x", z: "007", n: null },
    ]);
  });

  test("goes from integer to float and from anything to text, also in a later chunk", () => {
    const types = new CsvTypes();
    expect(
      types.convert([
        { a: "1", b: "1" },
        { a: "2.5", b: "x" },
      ]),
    ).toEqual([
      { a: 1, b: "1" },
      { a: 2.5, b: "x" },
    ]);
    expect(types.convert([{ a: "3", b: "4" }])).toEqual([{ a: 3, b: "4" }]);
    expect(types.convert([{ a: "true", b: null }])).toEqual([{ a: "true", b: null }]);
  });
});

describe("readNdjson", () => {
  test("names the line that is not JSON, or not an object", async () => {
    await expect(collect(readNdjson(streamOf('{"a":1}\n\n{"a"', 3)))).rejects.toThrow("line 3");
    await expect(collect(readNdjson(streamOf("[1]", 3)))).rejects.toThrow(
      "line 1 is not an object",
    );
  });
});

function records(text: string, size = 5) {
  return collect(readRecords(streamOf(text, size)));
}

function rowsOf(text: string) {
  return collect(readCsv(streamOf(text, 4)));
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** In chunks of `size` bytes, through the middle of letters too. */
function streamOf(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) {
        controller.enqueue(bytes.slice(at, at + size));
      }
      controller.close();
    },
  });
}

function quoted(field: string | null): string {
  return field === null ? "" : `"${field.replaceAll('"', '""')}"`;
}
