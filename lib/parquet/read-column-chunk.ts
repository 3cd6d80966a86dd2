// One column of one row group, from its pages back to typed arrays.
//
// The other way round of column-chunk.ts and column-encoder.ts, and nothing beyond: other encodings
// than those are refused. Values are decoded densely and then moved apart to their rows.

import type { Column, TextHeap } from "#lib/columnar/types.ts";
import { findInvalidUtf8 } from "#lib/columnar/utf8.ts";

import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readDeltaBinaryPacked } from "./delta-binary-packed.ts";
import { readDeltaLengthByteArray } from "./delta-length-byte-array.ts";
import { fileCorrupt } from "./file-corrupt.ts";
import { ENCODING, type ParquetColumn } from "./format.ts";
import { readPlainBools, readPlainNumbers, readPlainTexts } from "./plain.ts";
import { type PageContent, readPages } from "./read-pages.ts";
import { readHybrid } from "./rle-bitpacked-hybrid.ts";

/** `chunk`: its pages with their headers, and nothing else. */
export function readColumnChunk(
  column: ParquetColumn,
  rowCount: number,
  chunk: Uint8Array,
): Column {
  const decoder = decoderOf(column, rowCount);
  const levels = column.isRequired ? null : new Uint8Array(rowCount);
  let row = 0;
  let nullCount = 0;
  readPages(chunk, (page) => {
    if (page.isDictionary) return decoder.takeDictionary(page, row);
    const { valueCount, body } = page;
    if (valueCount > rowCount - row) throw fileCorrupt("there are more values than rows");
    const presentCount = levels === null ? valueCount : readLevels(body, valueCount, levels, row);
    if (presentCount > 0) decoder.take(page, presentCount, row);
    if (presentCount < valueCount) {
      decoder.spread(levels!, row, valueCount, presentCount);
      nullCount += valueCount - presentCount;
    }
    row += valueCount;
  });
  if (row !== rowCount) throw fileCorrupt(`there are values for ${row} of ${rowCount} rows`);
  return decoder.finish(nullCount === 0 ? null : levels);
}

/** One level per row, 1 = a value; how many values there are. */
function readLevels(body: ByteReader, count: number, levels: Uint8Array, at: number): number {
  const byteLength = body.uint32();
  const end = body.at + byteLength;
  readHybrid(body, count, 1, levels, at);
  if (body.at !== end) throw fileCorrupt("the levels of a page are not as long as they say");
  let presentCount = 0;
  for (let row = at; row < at + count; row++) {
    if (levels[row] > 1) throw fileCorrupt("a row is neither there nor NULL");
    presentCount += levels[row];
  }
  return presentCount;
}

interface ColumnDecoder {
  takeDictionary(page: PageContent, rowsBefore: number): void;
  /** Decodes `count` values to row `at` and the rows behind it. */
  take(page: PageContent, count: number, at: number): void;
  /** Moves `presentCount` values that lie at row `at` to those of the `count` rows with a 1. */
  spread(levels: Uint8Array, at: number, count: number, presentCount: number): void;
  finish(validity: Uint8Array | null): Column;
}

function decoderOf(column: ParquetColumn, rowCount: number): ColumnDecoder {
  const { name } = column;
  const takeDictionary = (): never => {
    throw fileCorrupt("a dictionary of other values than texts");
  };
  switch (column.type) {
    case "int64":
    case "timestamp": {
      const { type } = column;
      const words = new Int32Array(2 * rowCount);
      return {
        takeDictionary,
        take: ({ encoding, body }, count, at) => takeInt64s(encoding, body, count, words, at),
        spread: (levels, at, count, present) => spreadPairs(words, levels, at, count, present),
        finish: (validity) => ({ name, type, rowCount, validity, words }),
      };
    }
    case "float64": {
      const values = new Float64Array(rowCount);
      return {
        takeDictionary,
        take({ encoding, body }, count, at) {
          expectEncoding(encoding, ENCODING.plain);
          readPlainNumbers(body, count, values, at);
        },
        spread: (levels, at, count, present) => spread(values, levels, at, count, present),
        finish: (validity) => ({ name, type: "float64", rowCount, validity, values }),
      };
    }
    case "bool": {
      const values = new Uint8Array(rowCount);
      return {
        takeDictionary,
        take({ encoding, body }, count, at) {
          expectEncoding(encoding, ENCODING.plain);
          readPlainBools(body, count, values, at);
        },
        spread: (levels, at, count, present) => spread(values, levels, at, count, present),
        finish: (validity) => ({ name, type: "bool", rowCount, validity, values }),
      };
    }
    case "utf8":
      return textDecoder(name, rowCount);
  }
}

function textDecoder(name: string, rowCount: number): ColumnDecoder {
  const codes = new Int32Array(rowCount);
  const texts = new ByteWriter();
  const ends = new Int32Array(rowCount + 1);
  let dictionary: TextHeap | null = null;
  let textCount = 0;
  return {
    takeDictionary({ valueCount, body }, rowsBefore) {
      if (dictionary !== null || rowsBefore > 0) throw fileCorrupt("a dictionary comes late");
      dictionary = readPlainTexts(body, valueCount);
    },
    take({ encoding, body }, count, at) {
      if (dictionary !== null) {
        expectEncoding(encoding, ENCODING.rleDictionary);
        readIndices(body, dictionary.entryCount, count, codes, at);
        return;
      }
      expectEncoding(encoding, ENCODING.deltaLengthByteArray);
      readDeltaLengthByteArray(body, count, texts, ends, textCount + 1);
      for (let i = 0; i < count; i++) codes[at + i] = textCount + i;
      textCount += count;
    },
    spread: (levels, at, count, present) => spread(codes, levels, at, count, present),
    finish(validity) {
      const heap = dictionary ?? {
        entryCount: textCount,
        offsets: ends.subarray(0, textCount + 1),
        bytes: texts.written(),
        isDistinct: false,
      };
      checkTexts(heap);
      return { name, type: "utf8", rowCount, validity, codes, heap };
    },
  };
}

function takeInt64s(
  encoding: number,
  body: ByteReader,
  count: number,
  words: Int32Array,
  at: number,
): void {
  if (encoding === ENCODING.plain) return readPlainNumbers(body, count, words, at);
  expectEncoding(encoding, ENCODING.deltaBinaryPacked);
  readDeltaBinaryPacked(body, count, words, at);
}

function readIndices(
  body: ByteReader,
  entryCount: number,
  count: number,
  codes: Int32Array,
  at: number,
): void {
  const width = body.byte();
  if (width < 1 || width > 31) throw fileCorrupt("indices of no width");
  readHybrid(body, count, width, codes, at);
  for (let i = at; i < at + count; i++) {
    if (codes[i] >= entryCount) throw fileCorrupt("an index is beyond its dictionary");
  }
}

function checkTexts({ entryCount, offsets, bytes }: TextHeap): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slices = { starts: offsets, ends: offsets.subarray(1) };
  const invalid = findInvalidUtf8(bytes, view, slices, entryCount);
  if (invalid !== null) throw fileCorrupt("a text is not UTF-8");
}

function expectEncoding(encoding: number, expected: number): void {
  if (encoding !== expected) throw fileCorrupt("values are in a foreign encoding");
}

/** From the last row to the first, so that no value is overwritten before it has moved. */
function spread(
  values: Int32Array | Float64Array | Uint8Array,
  levels: Uint8Array,
  at: number,
  count: number,
  presentCount: number,
): void {
  let from = at + presentCount - 1;
  for (let row = at + count - 1; row > from; row--) {
    if (levels[row] === 1) values[row] = values[from--];
  }
}

/** The same for numbers of two words. */
function spreadPairs(
  words: Int32Array,
  levels: Uint8Array,
  at: number,
  count: number,
  presentCount: number,
): void {
  let from = at + presentCount - 1;
  for (let row = at + count - 1; row > from; row--) {
    if (levels[row] === 0) continue;
    words[2 * row] = words[2 * from];
    words[2 * row + 1] = words[2 * from + 1];
    from--;
  }
}
