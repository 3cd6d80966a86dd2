// The values of one column chunk, page by page: one page is in memory, and the dictionary.
//
// What a page's header claims is held against its chunk before it is believed. Pages that hold none
// of the wanted rows are stepped over. Next: cells.ts.

import type { PageHeader } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { readPlain } from "hyparquet/src/plain.js";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { checkCodec, decompressPage } from "./decompress.ts";
import { type Reader, readLevels, readValues, type Values } from "./encodings.ts";
import { damaged, guarded, type ParquetChunk, type ParquetLeaf } from "./parquet-file.ts";

export interface ParquetPage {
  /** Of the chunk: the first value, and for a column that does not repeat the first row. */
  readonly first: number;
  /** NULLs too. */
  readonly valueCount: number;
  /** Per value; null: all are there. */
  readonly definitionLevels: readonly number[] | null;
  /** Per value; empty where nothing repeats. */
  readonly repetitionLevels: readonly number[];
  /** Those that are there; where there is a dictionary, their numbers in it. */
  readonly values: Values;
  readonly dictionary: Values | null;
  /** Decompressed. */
  readonly byteLength: number;
}

/**
 * Pages with values in `[from, to)`.
 * Refuses: `parquet_invalid`, `batch_too_large`.
 */
export function* readPages(
  file: Uint8Array,
  { start, end, valueCount, codec }: ParquetChunk,
  leaf: ParquetLeaf,
  from = 0,
  to = valueCount,
): Generator<ParquetPage> {
  checkCodec(codec);
  const reader = { view: new DataView(file.buffer, file.byteOffset, end), offset: start };
  let dictionary: Values | null = null;
  for (let first = 0; first < Math.min(to, valueCount);) {
    const header = guarded("the header of a page", () => parquetHeader(reader));
    const body = takeBody(file, reader, end, header);
    if (header.type === "DICTIONARY_PAGE") {
      dictionary = readDictionary(body, header, codec, leaf);
      continue;
    }
    const facts = header.data_page_header ?? header.data_page_header_v2;
    if (facts === undefined) continue; // A page of an index.
    const count = whole(facts.num_values, valueCount - first, "count of a page");
    if (count === 0) throw damaged("a page has no values");
    checkLimit(count, LIMITS.importPageValuesMax, "values");
    if (first + count > from) {
      const content = guarded("a page", () => readContent(body, header, codec, leaf));
      const isIndexed = facts.encoding.endsWith("_DICTIONARY");
      if (isIndexed && dictionary === null) throw damaged("a page's dictionary is missing");
      const own = isIndexed ? dictionary : null;
      yield { first, valueCount: count, ...content, dictionary: own };
    }
    first += count;
  }
}

function takeBody(
  file: Uint8Array,
  reader: Reader,
  end: number,
  { compressed_page_size: size, uncompressed_page_size: plainSize }: PageHeader,
): Uint8Array {
  whole(size, end - reader.offset, "size of a page");
  checkLimit(whole(plainSize, 2 ** 31, "size of a page"), LIMITS.importPageBytesMax, "bytes");
  const body = file.subarray(reader.offset, reader.offset + size);
  reader.offset += size;
  return body;
}

function readDictionary(
  body: Uint8Array,
  header: PageHeader,
  codec: string,
  { element }: ParquetLeaf,
): Values {
  const counted = header.dictionary_page_header?.num_values;
  const count = whole(counted, LIMITS.importPageValuesMax, "count of a dictionary");
  const page = decompressPage(body, header.uncompressed_page_size, codec);
  const reader = { view: viewOf(page), offset: 0 };
  return guarded("a dictionary", () =>
    readPlain(reader, element.type!, count, element.type_length),
  );
}

type PageContent = Omit<ParquetPage, "first" | "valueCount" | "dictionary">;

function readContent(
  body: Uint8Array,
  header: PageHeader,
  codec: string,
  leaf: ParquetLeaf,
): PageContent {
  const { element, definitionLevelMax, repetitionLevelMax } = leaf;
  const { num_values: count, encoding } = (header.data_page_header ?? header.data_page_header_v2)!;
  const parts = splitPage(body, header, codec);
  const { reader } = parts;
  const repetitionLevels =
    repetitionLevelMax === 0
      ? []
      : readLevels(reader, repetitionLevelMax, count, parts.repetitionBytes());
  const levels =
    definitionLevelMax === 0
      ? null
      : readLevels(reader, definitionLevelMax, count, parts.definitionBytes());
  const presentCount = levels === null ? count : countOf(levels, definitionLevelMax);
  const values = readValues(parts.values(), encoding, presentCount, element);
  const definitionLevels = presentCount === count ? null : levels;
  return { definitionLevels, repetitionLevels, values, byteLength: parts.byteLength };
}

/** Where levels and values lie; to be asked in this order. */
interface PageParts {
  readonly reader: Reader;
  repetitionBytes(): number;
  definitionBytes(): number;
  values(): Reader;
  readonly byteLength: number;
}

function splitPage(body: Uint8Array, header: PageHeader, codec: string): PageParts {
  const byteLength = header.uncompressed_page_size;
  const second = header.data_page_header_v2;
  if (second === undefined) {
    // Levels and values are compressed as one, each levels' length before them.
    const reader = { view: viewOf(decompressPage(body, byteLength, codec)), offset: 0 };
    const lengthOf = () => {
      reader.offset += 4;
      return reader.view.getUint32(reader.offset - 4, true);
    };
    const common = { reader, byteLength, values: () => reader };
    return { ...common, repetitionBytes: lengthOf, definitionBytes: lengthOf };
  }
  // Levels are not compressed, and the header has their lengths.
  const sizeMax = Math.min(body.length, byteLength);
  const repetitionBytes = whole(second.repetition_levels_byte_length, sizeMax, "size of levels");
  const restMax = sizeMax - repetitionBytes;
  const definitionBytes = whole(second.definition_levels_byte_length, restMax, "size of levels");
  const levelBytes = repetitionBytes + definitionBytes;
  const values = () => {
    const packed = body.subarray(levelBytes);
    const own = second.is_compressed === false ? "UNCOMPRESSED" : codec;
    return { view: viewOf(decompressPage(packed, byteLength - levelBytes, own)), offset: 0 };
  };
  return {
    reader: { view: viewOf(body), offset: 0 },
    repetitionBytes: () => repetitionBytes,
    definitionBytes: () => definitionBytes,
    values,
    byteLength,
  };
}

/** hyparquet gives whatever type of number the bytes claim. */
function whole(value: unknown, max: number, what: string): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max) {
    return value as number;
  }
  throw damaged(`the ${what} cannot be ${String(value)}, at most ${max}`);
}

function checkLimit(value: number, limit: number, unit: string): void {
  if (value <= limit) return;
  const message = `a page has ${value} ${unit}, more than ${limit}; write smaller pages`;
  throw new SluiceError("batch_too_large", message, { limit });
}

function countOf(levels: readonly number[], level: number): number {
  let count = 0;
  for (const one of levels) if (one === level) count += 1;
  return count;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
