// The grammar of line protocol, line by line, and bytes that have none.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSluiceError, type SluiceError } from "#lib/base/errors.ts";
import { type Line, type LineCell, LineReader } from "#lib/protocol/line-reader.ts";
import { parsePrecision } from "#lib/protocol/line-values.ts";
import { NameCache } from "#lib/protocol/name-cache.ts";
import { propertyRuns, PROPERTY_TIMEOUT_MS } from "../../helpers/property.ts";

const UTF8 = new TextDecoder();

function readerOf(text: string | Uint8Array, precision = "ns"): LineReader {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return new LineReader(bytes, new NameCache(), parsePrecision(precision));
}

/** Line numbers with what the line holds, or with the code of its refusal. */
function readAll(reader: LineReader): [number, Line | SluiceError][] {
  const lines: [number, Line | SluiceError][] = [];
  while (reader.advance()) {
    const { lineNumber } = reader;
    try {
      lines.push([lineNumber, reader.read()]);
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      lines.push([lineNumber, error]);
    }
  }
  return lines;
}

function valueOf(cell: LineCell): unknown {
  if ("text" in cell) return UTF8.decode(cell.text.bytes.subarray(cell.text.start, cell.text.end));
  if ("integer" in cell) return BigInt(cell.integer);
  return "float" in cell ? cell.float : cell.boolean;
}

function only(text: string, precision?: string): Line {
  const lines = readAll(readerOf(text, precision));
  expect(lines).toHaveLength(1);
  const [, line] = lines[0]!;
  if (isSluiceError(line)) throw line;
  return line;
}

function cellsOf(text: string): [string, unknown][] {
  return only(text).cells.map((cell) => [cell.name, valueOf(cell)]);
}

describe("a line", () => {
  test.each<[line: string, measurement: string, cells: [string, unknown][]]>([
    ["cpu v=1", "cpu", [["v", 1]]],
    [
      "cpu,host=a v=1 1",
      "cpu",
      [
        ["host", "a"],
        ["v", 1],
      ],
    ],
    [
      "cpu,host=a,dc=eu v=1,w=2",
      "cpu",
      [
        ["host", "a"],
        ["dc", "eu"],
        ["v", 1],
        ["w", 2],
      ],
    ],
    ["cpu   v=1   1   ", "cpu", [["v", 1]]],
    ["  \t cpu v=1", "cpu", [["v", 1]]],
    ["cpu\\,a\\ b v=1", "cpu,a b", [["v", 1]]],
    ["cpu=x v=1", "cpu=x", [["v", 1]]],
    [
      "cpu,a\\ b=c\\,d\\=e\\ f v=1",
      "cpu",
      [
        ["a b", "c,d=e f"],
        ["v", 1],
      ],
    ],
    ["cpu a\\=b\\,c\\ d=1", "cpu", [["a=b,c d", 1]]],
    [
      "cpu,path=C:\\dir\\ x v=1",
      "cpu",
      [
        ["path", "C:\\dir x"],
        ["v", 1],
      ],
    ],
    [
      "cpu,path=a\\\\b v=1",
      "cpu",
      [
        ["path", "a\\\\b"],
        ["v", 1],
      ],
    ],
    [
      'cpu,q="a" v=1',
      "cpu",
      [
        ["q", '"a"'],
        ["v", 1],
      ],
    ],
    [
      "größe,ort=Köln v=1",
      "größe",
      [
        ["ort", "Köln"],
        ["v", 1],
      ],
    ],
    [
      "cpu,host=a host=1,v=2",
      "cpu",
      [
        ["host", "a"],
        ["host_value", 1],
        ["v", 2],
      ],
    ],
    ["cpu v=1\r", "cpu", [["v", 1]]],
  ])("%j", (text, measurement, cells) => {
    expect(only(text).measurement).toBe(measurement);
    expect(cellsOf(text)).toEqual(cells);
  });

  test.each<[string, unknown]>([
    ["1", 1],
    ["-1.5", -1.5],
    ["1.", 1],
    [".5", 0.5],
    ["1e3", 1000],
    ["-1.5E-3", -0.0015],
    ["1e+3", 1000],
    ["0.1", 0.1],
    ["1i", 1n],
    ["-0i", 0n],
    ["007i", 7n],
    ["-9223372036854775808i", -(2n ** 63n)],
    ["9223372036854775807i", 2n ** 63n - 1n],
    ["9007199254740993i", 9007199254740993n],
    ["9223372036854775807u", 2n ** 63n - 1n],
    ["t", true],
    ["T", true],
    ["true", true],
    ["True", true],
    ["TRUE", true],
    ["f", false],
    ["F", false],
    ["false", false],
    ["False", false],
    ["FALSE", false],
    ['""', ""],
    ['"a b,c=d"', "a b,c=d"],
    ['"say \\"hi\\""', 'say "hi"'],
    ['"back\\\\slash"', "back\\slash"],
    ['"ends in a backslash\\\\"', "ends in a backslash\\"],
    ['"\\n stays \\x"', "\\n stays \\x"],
    ['"one\ntwo\r\nthree"', "one\ntwo\r\nthree"],
    ['"# no comment"', "# no comment"],
  ])("with the value %s", (text, value) => {
    expect(cellsOf(`cpu v=${text},w=1 1`)).toEqual([
      ["v", value],
      ["w", 1],
    ]);
    expect(cellsOf(`cpu v=${text}`)).toEqual([["v", value]]);
  });

  test.each<[precision: string, text: string, us: bigint]>([
    ["ns", "1", 0n],
    ["ns", "-1", -1n],
    ["ns", "-1000", -1n],
    ["ns", "1767225600123456789", 1767225600123456n],
    ["n", "-1767225600123456789", -1767225600123457n],
    ["ns", "9223372036854775807", 9223372036854775n],
    ["us", "1767225600123456", 1767225600123456n],
    ["u", "-5", -5n],
    ["ms", "1767225600123", 1767225600123000n],
    ["s", "1767225600", 1767225600000000n],
    ["m", "29453760", 1767225600000000n],
    ["h", "490896", 1767225600000000n],
  ])("in %s with the time %s", (precision, text, us) => {
    expect(only(`cpu v=1 ${text}`, precision).timeUs).toBe(us);
  });

  test("without a time has none", () => {
    expect(only("cpu v=1").timeUs).toBe(null);
  });
});

describe("lines", () => {
  test("are numbered from 1, with comments, blanks and newlines between quotes", () => {
    const text = '# one\n\ncpu v=1\r\n  # four\ncpu s="a\nb"\ncpu v=2\n\n';
    expect(readAll(readerOf(text)).map(([lineNumber]) => lineNumber)).toEqual([3, 5, 7]);
  });

  test.each<[line: string, code: string, says: RegExp]>([
    ["cpu", "line_invalid", /has no field/],
    ["cpu,host=a", "line_invalid", /has no field/],
    ["cpu ", "line_invalid", /has no field/],
    ["cpu v", "line_invalid", /has no field/],
    ["cpu v=", "line_invalid", /no value/],
    ["cpu v=,w=1", "line_invalid", /no value/],
    ["cpu v=1,", "line_invalid", /has no field/],
    ["cpu v=1,,w=2", "line_invalid", /field's name/],
    ["cpu =1", "line_invalid", /empty/],
    ["cpu,=a v=1", "line_invalid", /empty/],
    ["cpu,host= v=1", "line_invalid", /empty/],
    ["cpu,host v=1", "line_invalid", /backslash/],
    ["cpu,a=b=c v=1", "line_invalid", /"="/],
    [",a=b v=1", "line_invalid", /empty/],
    ["cpu v=abc", "line_invalid", /quotes/],
    ["cpu v=1.5i", "line_invalid", /no value/],
    ["cpu v=-1u", "line_invalid", /unsigned/],
    ["cpu v=NaN", "line_invalid", /no value/],
    ["cpu v=0x10", "line_invalid", /no value/],
    ["cpu v=1 1.5", "line_invalid", /timestamp/],
    ["cpu v=1 1 1", "line_invalid", /follows/],
    ["cpu v=1 1,w=2", "line_invalid", /follows/],
    ['cpu v="a', "line_invalid", /never closed/],
    ['cpu v="a"b', "line_invalid", /comma or a space/],
    ["cpu v=1,v=2", "column_name_invalid", /twice/],
    ["cpu,a=1,a=2 v=1", "column_name_invalid", /twice/],
    ["cpu time=1", "column_name_invalid", /time/],
    ["cpu,time=1 v=1", "column_name_invalid", /time/],
    [`cpu ${"x".repeat(129)}=1`, "column_name_invalid", /129 bytes/],
    ["cpu v=9223372036854775808i", "value_out_of_range", /9223372036854775807/],
    ["cpu v=18446744073709551615u", "value_out_of_range", /9223372036854775807/],
    ["cpu v=1e400", "value_out_of_range", /double/],
    [`cpu v=1 ${"9".repeat(100_000)}`, "value_out_of_range", /years/],
    [`cpu v=${"9".repeat(100_000)}i`, "line_invalid", /characters/],
  ])("like %j are refused, and those around them are not", (bad, code, says) => {
    const lines = readAll(readerOf(`cpu v=1\n${bad}\ncpu v=2`));
    expect(lines.map(([lineNumber]) => lineNumber)).toEqual([1, 2, 3]);
    expect(lines[1]![1]).toMatchObject({ code, message: expect.stringMatching(says) });
    expect(lines.map(([, line]) => isSluiceError(line))).toEqual([false, true, false]);
  });

  test("that are refused do not let out what stands between their quotes", () => {
    const text = 'cpu time="a\nmem x=1\n"\ncpu,a= s="\\"\nmem y=1"\ncpu v=1';
    const lines = readAll(readerOf(text));
    expect(lines.map(([lineNumber, line]) => [lineNumber, isSluiceError(line)])).toEqual([
      [1, true],
      [4, true],
      [6, false],
    ]);
  });

  test("that are not UTF-8 are refused one by one", () => {
    const bytes = Buffer.from("cpu v=1\ncpu,a=\xff v=1\ncpu v=2", "latin1");
    const lines = readAll(readerOf(bytes));
    expect(lines.map(([, line]) => isSluiceError(line) && line.code)).toEqual([
      false,
      "text_invalid",
      false,
    ]);
  });

  test("of an unknown precision are refused", () => {
    expect(() => parsePrecision("d")).toThrow(/precision "d"/);
  });
});

describe("any bytes", () => {
  const alphabet = [' ,=\\"\n\r#\tabcu1.-tieE'.split(""), "é", "温"].flat();
  const text = fc
    .array(fc.constantFrom(...alphabet), { maxLength: 200 })
    .map((all) => all.join(""));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    text.map((one) => new TextEncoder().encode(one)),
  );

  test(
    "are read to their end or refused, and nothing else is thrown",
    () => {
      fc.assert(
        fc.property(bytes, (input) => {
          for (const [lineNumber] of readAll(readerOf(input)))
            expect(lineNumber).toBeGreaterThan(0);
        }),
        propertyRuns(1_000),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter((one) => {
    return !/[\p{Cc}\\]/u.test(one) && one !== "time" && !one.endsWith("_value");
  });
  const value = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.string({ unit: "grapheme", maxLength: 20 }),
  );
  const escapeName = (text: string) => text.replace(/[ ,=]/g, "\\$&");
  const written = (one: unknown) => {
    if (typeof one === "bigint") return `${one}i`;
    return typeof one === "string" ? `"${one.replace(/["\\]/g, "\\$&")}"` : String(one);
  };

  test(
    "that were written by the rules give back what was written",
    () => {
      const fields = fc.uniqueArray(fc.tuple(name, value), {
        minLength: 1,
        maxLength: 6,
        selector: ([one]) => one,
      });
      fc.assert(
        fc.property(fields, (pairs) => {
          const list = pairs.map(([one, of]) => `${escapeName(one)}=${written(of)}`).join(",");
          expect(cellsOf(`cpu ${list} 5`)).toEqual(
            pairs.map(([one, of]) => [one, Object.is(of, -0) ? 0 : of]),
          );
        }),
        propertyRuns(300),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );
});
