// Files to request bodies: times, types, where they are cut, and that they are the same each time.

import { gunzipSync } from "node:zlib";
import { decode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";

import { chunkLines, chunkRows, type Chunk } from "../../../clients/cli/write/chunks.ts";
import { fileTimeUs } from "../../../clients/cli/write/times.ts";

const FILE = { measurement: "m", timeColumn: "time", timeUnit: undefined, isCsv: false } as const;
const US = 1_767_225_600_000_000n;

describe("fileTimeUs", () => {
  test.each([
    [1_767_225_600, US],
    [1_767_225_600_000, US],
    ["1767225600000", US],
    [1_767_225_600_000_000, US],
    [1_767_225_600_000_000_123n, US],
    ["1767225600000000999", US],
    ["2026-01-01T00:00:00Z", US],
    ["2026-01-01T01:00:00.000001+01:00", US + 1n],
    [1_767_225_600.5, US + 500_000n],
    [-1.5, -1_500_000n],
    ["", null],
    [null, null],
  ])("finds the unit of %s", (value, us) => {
    expect(fileTimeUs(value, undefined)).toBe(us);
  });

  test("takes the unit that is given", () => {
    expect(fileTimeUs(5, "ms")).toBe(5_000n);
    expect(fileTimeUs("-1", "ns")).toBe(-1n);
  });

  test.each(["tomorrow", "2026-01-01T00:00:00", true, {}])("refuses %s", (value) => {
    expect(() => fileTimeUs(value, undefined)).toThrow("not a time");
  });
});

describe("chunkRows", () => {
  test("cuts after 10,000 rows and says which they are", async () => {
    const chunks = await collect(
      chunkRows(
        placed(25_000, (i) => ({ time: i, v: i })),
        FILE,
      ),
    );
    expect(chunks.map(({ rowCount, place }) => [rowCount, place])).toEqual([
      [10_000, "row 1 to row 10000"],
      [10_000, "row 10001 to row 20000"],
      [5_000, "row 20001 to row 25000"],
    ]);
  });

  test("sends microseconds, JSON text for objects, and floats once a column had one", async () => {
    const rows = [
      { time: "2026-01-01T00:00:00Z", v: 1.5, o: { x: 1 } },
      { time: 1_767_225_600_000, v: 2 },
    ];
    const [chunk] = await collect(
      chunkRows(
        placed(2, (i) => rows[i]!),
        FILE,
      ),
    );
    expect(bodyOf(chunk!)).toEqual({
      m: "m",
      time_unit: "us",
      columns: { time: [Number(US), Number(US)], v: [1.5, 2], o: ['{"x":1}', null] },
    });
  });

  test("leaves the time to the server where no row has one, so that the body is the same", async () => {
    const make = () =>
      collect(
        chunkRows(
          placed(2, (i) => ({ v: i })),
          FILE,
        ),
      );
    const [first] = await make();
    const [second] = await make();
    expect(bodyOf(first!)).toMatchObject({ columns: { v: [0, 1] } });
    expect(second!.body).toEqual(first!.body);
  });

  test("refuses a time that is none, with row and column", async () => {
    const file = { ...FILE, timeColumn: "at" };
    const chunks = collect(
      chunkRows(
        placed(2, (i) => ({ at: ["1", "x"][i] })),
        file,
      ),
    );
    await expect(chunks).rejects.toThrow("row 2, column at: x is not a time");
  });
});

describe("chunkLines", () => {
  test("does not cut inside quotes, and counts rows without comments", async () => {
    const text = '# c\nm,t="odd f=1\nm s="a\nb \\" c",x=1 5\nm f=2\n';
    const [chunk] = await collect(chunkLines(streamOf(text), "s"));
    expect(chunk).toMatchObject({
      path: "/api/v1/write/line-protocol?precision=s",
      rowCount: 3,
      place: "line 1 to line 5",
    });
    expect(gunzipSync(chunk!.body).toString()).toBe(text);
  });

  test("cuts after 10,000 rows, and loses no line", async () => {
    const text = Array.from({ length: 20_001 }, (_, i) => `m f=${i} ${i}\n`).join("");
    const chunks = await collect(chunkLines(streamOf(text), undefined));
    expect(chunks.map(({ rowCount }) => rowCount)).toEqual([10_000, 10_000, 1]);
    expect(chunks.map(({ body }) => gunzipSync(body).toString()).join("")).toBe(text);
  });
});

async function* placed(count: number, make: (index: number) => Record<string, unknown>) {
  for (let i = 0; i < count; i++) yield { row: make(i), place: `row ${i + 1}` };
}

async function collect(chunks: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const found: Chunk[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

function bodyOf({ body }: Chunk): unknown {
  return decode(gunzipSync(body));
}

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream();
}
