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
    const texts = Array.from({ length: 30_000 }, (_, row) => "é".repeat(row % 5) + (row % 10_000));
    for (let batch = 0; batch < 3; batch++) appendAll(builder, texts);
    const column = builder.finish();
    expect(column.heap).toMatchObject({ isDistinct: true, entryCount: 10_000 });
    expect(columnValues(column)).toEqual([...texts, ...texts, ...texts]);
  });

  test("goes on looking up a few thousand texts, though none repeats", () => {
    const builder = new Utf8Builder("v");
    appendAll(builder, Array.from({ length: 4000 }, (_, row) => `t${row}`));
    appendAll(builder, ["t0"]);
    expect(builder.finish().heap).toMatchObject({ isDistinct: true, entryCount: 4000 });
  });

  test("is not slowed down by texts made to collide, and still holds them", () => {
    const builder = new Utf8Builder("v");
    const texts = collidingTexts(2000);
    appendAll(builder, texts);
    const column = builder.finish();
    expect(column.heap.isDistinct).toBe(false);
    expect(columnValues(column)).toEqual(texts);
  });
});
