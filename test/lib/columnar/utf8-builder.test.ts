import { describe, expect, test } from "vitest";
import { newTextSlices, type TextSlices } from "#lib/columnar/utf8.ts";
import { Utf8Builder } from "#lib/columnar/utf8-builder.ts";
import { columnValues } from "../../helpers/random-batch.ts";

function appendAll(builder: Utf8Builder, texts: readonly string[]): void {
  const bytes = Buffer.from(texts.join(""));
  const slices: TextSlices = newTextSlices(texts.length);
  let position = 0;
  for (const [at, text] of texts.entries()) {
    slices.starts[at] = position;
    position += Buffer.byteLength(text);
    slices.ends[at] = position;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  builder.appendSlices(bytes, view, slices, texts.length);
}

describe("a text column", () => {
  test("finds equal texts again across any number of batches and growths", () => {
    const builder = new Utf8Builder("v");
    const texts = Array.from(
      { length: 30_000 },
      (_, row) => `${"é".repeat(row % 5)}${row % 10_000}`,
    );
    for (let batch = 0; batch < 3; batch++) appendAll(builder, texts);
    const column = builder.finish();
    expect(column.heap).toMatchObject({ isDistinct: true, entryCount: 10_000 });
    expect(columnValues(column)).toEqual([...texts, ...texts, ...texts]);
  });

  test("goes on looking up thousands of texts, though none repeats", () => {
    const builder = new Utf8Builder("v");
    appendAll(
      builder,
      Array.from({ length: 30_000 }, (_, row) => `t${row}`),
    );
    appendAll(builder, ["t0"]);
    expect(builder.finish().heap).toMatchObject({ isDistinct: true, entryCount: 30_000 });
  });

  test.each([1, 1000, 1024, 32_768, 40_000])(
    "whose texts never repeat stops looking up, told in runs of %i",
    (runRows) => {
      const builder = new Utf8Builder("v");
      const texts = Array.from({ length: 40_000 }, (_, row) => `t${row}`);
      for (let row = 0; row < texts.length; row += runRows) {
        appendAll(builder, texts.slice(row, row + runRows));
      }
      appendAll(builder, ["t0"]);
      const column = builder.finish();
      expect(column.heap).toMatchObject({ isDistinct: false, entryCount: 40_001 });
      expect(columnValues(column)).toEqual([...texts, "t0"]);
    },
  );

  test("is not slowed down by texts made to collide, and still holds them", () => {
    const builder = new Utf8Builder("v");
    const texts = collidingTexts(2000);
    appendAll(builder, texts);
    const column = builder.finish();
    expect(column.heap.isDistinct).toBe(false);
    expect(columnValues(column)).toEqual(texts);
  });
});

/**
 * Texts of eight ASCII bytes whose hashes (text-dictionary.ts) are all 0: w1 undoes what w0 did.
 */
function collidingTexts(count: number): string[] {
  const texts: string[] = [];
  for (let seed = 0; texts.length < count; seed++) {
    const bytes = Buffer.from(`${seed}`.padStart(4, "0").slice(-4).padEnd(8, "\0"));
    bytes[0] = 0x20 + (Math.floor(seed / 10_000) % 0x60);
    const product = Math.imul(bytes.length ^ bytes.readInt32LE(0), 0x9e3779b1);
    const second = product ^ (product >>> 15);
    if ((second & 0x80808080) !== 0) continue;
    bytes.writeInt32LE(second, 4);
    texts.push(bytes.toString());
  }
  return texts;
}
