// Files cut into parts: always the same ones, which together are the file, and never within a
// record.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CsvReader } from "#lib/protocol/csv-reader.ts";
import { cutParts, type FilePart } from "#lib/protocol/cut-parts.ts";
import { LineReader } from "#lib/protocol/line-reader.ts";
import { parsePrecision } from "#lib/protocol/line-values.ts";
import { NameCache } from "#lib/protocol/name-cache.ts";
import { CsvRecordEnds, LineRecordEnds, type RecordEnds } from "#lib/protocol/record-ends.ts";
import { chunksOf } from "../../helpers/chunks.ts";
import { propertyRuns, PROPERTY_TIMEOUT_MS } from "../../helpers/property.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

async function partsOf(
  bytes: Uint8Array,
  ends: RecordEnds,
  partBytes: number,
  sizes: readonly number[],
): Promise<FilePart[]> {
  const parts: FilePart[] = [];
  for await (const part of cutParts(chunksOf(bytes, sizes), ends, partBytes)) parts.push(part);
  return parts;
}

/** Line numbers and records. */
function csvRecords(text: string, firstLine: number): unknown[] {
  const reader = new CsvReader(text, ",", firstLine);
  const records: unknown[] = [];
  for (let fields = reader.next(); fields !== null; fields = reader.next()) {
    records.push([reader.recordLine, fields]);
  }
  return records;
}

function lineRecords(bytes: Uint8Array, firstLine: number): unknown[] {
  const reader = new LineReader(bytes, new NameCache(), parsePrecision("ns"), firstLine);
  const records: unknown[] = [];
  while (reader.advance()) {
    const { lineNumber } = reader;
    const { measurement, cells, timeUs } = reader.read();
    const values = cells.map((cell) => {
      if (!("text" in cell)) return cell;
      const { bytes: all, start, end } = cell.text;
      return { name: cell.name, text: textOf(all.subarray(start, end)) };
    });
    records.push([lineNumber, measurement, values, timeUs]);
  }
  return records;
}

const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 5 });
const chunkSizes = sizes.filter((all) => all.some((size) => size > 0));
const partBytes = fc.integer({ min: 1, max: 60 });

const csvField = fc.oneof(
  fc.constantFrom("", "1", "a b", "é"),
  fc
    .string({ unit: fc.constantFrom('"', "\n", "\r", ",", "x", "é"), maxLength: 8 })
    .map((text) => `"${text.replaceAll('"', '""')}"`),
);
const csvText = fc
  .array(
    fc.tuple(fc.array(csvField, { minLength: 2, maxLength: 3 }), fc.constantFrom("\n", "\r\n")),
    { maxLength: 12 },
  )
  .map((records) => records.map(([fields, end]) => fields.join(",") + end).join(""));

const name = fc
  .string({ unit: fc.constantFrom("a", '"', "\\ ", "\\,", "\\=", "é"), minLength: 1, maxLength: 4 })
  .map((text) => `n${text}`);
const textValue = fc
  .string({
    unit: fc.constantFrom("x", "\n", '\\"', "\\\\", " ", ",", "=", "#", "é"),
    maxLength: 6,
  })
  .map((text) => `"${text}"`);
const fieldValue = fc.oneof(fc.constantFrom("1", "2i", "t"), textValue);
const line = fc
  .tuple(
    name,
    fc.array(fc.tuple(name, name), { maxLength: 2 }),
    fc.array(fc.tuple(name, fieldValue), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", " 5", "  7 "),
  )
  .map(([measurement, tags, fields, time]) => {
    const cell = ([key, value]: [string, string], i: number) => `${key}${i}=${value}`;
    const tagged = [measurement, ...tags.map(cell)].join(",");
    const offset = tags.length;
    return `${tagged} ${fields.map((field, i) => cell(field, i + offset)).join(",")}${time}`;
  });
const lineText = fc
  .array(fc.oneof(line, fc.constantFrom("", '# a "comment', "  ", '\t# f="')), { maxLength: 12 })
  .map((lines) => lines.join("\n"));

describe("a file in parts", () => {
  test(
    "of CSV is the file, record by record, however its chunks came",
    async () => {
      await fc.assert(
        fc.asyncProperty(csvText, chunkSizes, partBytes, async (text, cuts, least) => {
          const bytes = bytesOf(text);
          const parts = await partsOf(bytes, new CsvRecordEnds(0), least, cuts);
          expect(parts).toEqual(await partsOf(bytes, new CsvRecordEnds(0), least, [1e9]));
          expect(parts.map((part) => textOf(part.bytes)).join("")).toBe(text);
          for (const part of parts.slice(0, -1)) {
            expect(part.bytes.length).toBeGreaterThanOrEqual(least);
          }
          const records = parts.flatMap((part) => csvRecords(textOf(part.bytes), part.firstLine));
          expect(records).toEqual(csvRecords(text, 1));
        }),
        propertyRuns(300),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  test(
    "of line protocol is the file, line by line, however its chunks came",
    async () => {
      await fc.assert(
        fc.asyncProperty(lineText, chunkSizes, partBytes, async (text, cuts, least) => {
          const bytes = bytesOf(text);
          const parts = await partsOf(bytes, new LineRecordEnds(), least, cuts);
          expect(parts).toEqual(await partsOf(bytes, new LineRecordEnds(), least, [1e9]));
          expect(parts.map((part) => textOf(part.bytes)).join("")).toBe(text);
          const records = parts.flatMap((part) => lineRecords(part.bytes, part.firstLine));
          expect(records).toEqual(lineRecords(bytes, 1));
        }),
        propertyRuns(300),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  test("ends as soon as it is large enough, and before the next record", async () => {
    const parts = await partsOf(bytesOf("a\nb\n\nc\nd"), new CsvRecordEnds(0), 3, [1]);
    expect(parts.map(({ bytes, firstLine }) => [textOf(bytes), firstLine])).toEqual([
      ["a\nb\n", 1],
      ["\nc\n", 3],
      ["d", 5],
    ]);
  });

  test("keeps the lines that are skipped with the header, whatever quotes they have", async () => {
    const text = 'by "x\n\nh\n1\n2\n';
    const parts = await partsOf(bytesOf(text), new CsvRecordEnds(2), 1, [3]);
    expect(parts.map(({ bytes }) => textOf(bytes))).toEqual(['by "x\n\nh\n', "1\n", "2\n"]);
  });

  test.each<[string, () => RecordEnds, string, string]>([
    ["CSV", () => new CsvRecordEnds(0), 'a\n1\n"2\n', "csv_invalid"],
    ["line protocol", () => new LineRecordEnds(), 'm v=1\nm v=2\nm v="\n', "line_invalid"],
  ])("of %s with a quote that is never closed is refused, naming its line", async (...row) => {
    const [, ends, start, code] = row;
    const text = bytesOf(start + "x,y\n".repeat(6_000_000));
    for (const size of [70_000, 1e9]) {
      const reading = partsOf(text, ends(), 1e9, [size]);
      await expect(reading).rejects.toMatchObject({ code, detail: { line: 3 } });
    }
  });
});
