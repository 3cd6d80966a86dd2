// One column of one row group: a dictionary page if it has a dictionary, then data pages.
//
// Pages are of version 1, which every reader knows: levels and values together, compressed as one.

import type { Column, ColumnType } from "#lib/columnar/types.ts";

import { bloomFilterBytes } from "./bloom-filter.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { encoderOf, type ColumnEncoder, type EncodedValues } from "./column-encoder.ts";
import type { DictionaryBuilder } from "./dictionary.ts";
import type { FileRange } from "./file-output.ts";
import { ENCODING, PAGE_TYPE, type Encoding } from "./format.ts";
import type { PageWriter } from "./page-writer.ts";
import { planPages, presentValues, type Page } from "./present-values.ts";
import { writeHybrid, writeRun } from "./rle-bitpacked-hybrid.ts";
import { mergeStatistics, NO_VALUES, type ValueStatistics } from "./statistics.ts";

/**
 * Of a page of NULLs only. Some readers stumble over an encoding's header when no value follows.
 */
const NOTHING_ENCODED: EncodedValues = { encoding: ENCODING.plain, bounds: null };

/** A data page as the page index tells of it. */
export interface PageEntry {
  /** With its header. */
  readonly range: FileRange;
  /** Within the row group. */
  readonly firstRow: number;
  readonly encoding: Encoding;
  readonly statistics: ValueStatistics;
}

export interface ColumnChunk {
  readonly name: string;
  readonly type: ColumnType;
  readonly rowCount: number;
  /** null when the chunk has no dictionary. */
  readonly dictionaryOffset: number | null;
  readonly pages: readonly PageEntry[];
  /** Pages with their headers, before and after compression. */
  readonly plainByteLength: number;
  readonly byteLength: number;
  readonly statistics: ValueStatistics;
}

/**
 * Appends the chunk of rows `[from, to)`. Its Bloom filter, if any, belongs behind the row group.
 */
export function writeColumnChunk(
  column: Column,
  isRequired: boolean,
  from: number,
  to: number,
  out: PageWriter,
  dictionaries: DictionaryBuilder,
): { chunk: ColumnChunk; bloomFilter: Uint8Array | null } {
  const values = presentValues(column, from, to);
  const encoder = encoderOf(values, dictionaries);
  const start = out.offset;
  const plainBefore = out.plainByteLength;
  const dictionaryOffset = writeDictionaryPage(encoder, out);
  const pages = planPages(column.validity, from, to, encoder.byteLengths).map((page) =>
    writeDataPage(column, isRequired, encoder, page, from, out),
  );
  const chunk = {
    name: column.name,
    type: column.type,
    rowCount: to - from,
    dictionaryOffset,
    pages,
    plainByteLength: out.plainByteLength - plainBefore,
    byteLength: out.offset - start,
    statistics: pages.map(({ statistics }) => statistics).reduce(mergeStatistics, NO_VALUES),
  };
  const { bloom } = encoder;
  return { chunk, bloomFilter: bloom && bloomFilterBytes(bloom.heap, bloom.entries) };
}

function writeDictionaryPage({ dictionary }: ColumnEncoder, out: PageWriter): number | null {
  if (dictionary === null) return null;
  dictionary.write(out.body);
  const page = out.endPage(PAGE_TYPE.dictionary, (header) => {
    header.struct(7, (dictionaryHeader) => {
      dictionaryHeader.i32(1, dictionary.textCount);
      dictionaryHeader.i32(2, ENCODING.plain);
    });
  });
  return page.offset;
}

function writeDataPage(
  column: Column,
  isRequired: boolean,
  encoder: ColumnEncoder,
  { rowFrom, rowTo, valueFrom, valueTo }: Page,
  firstRow: number,
  out: PageWriter,
): PageEntry {
  const rowCount = rowTo - rowFrom;
  const valueCount = valueTo - valueFrom;
  if (!isRequired) {
    const validity = valueCount === rowCount ? null : column.validity;
    writeDefinitionLevels(validity, rowFrom, rowTo, out.body);
  }
  const { encoding, bounds } =
    valueCount > 0 ? encoder.encode(valueFrom, valueTo, out.body) : NOTHING_ENCODED;
  const range = out.endPage(PAGE_TYPE.data, (header) => {
    header.struct(5, (dataHeader) => {
      dataHeader.i32(1, rowCount);
      dataHeader.i32(2, encoding);
      dataHeader.i32(3, ENCODING.rle); // of definition levels
      dataHeader.i32(4, ENCODING.rle); // of repetition levels, of which there are none
    });
  });
  return {
    range,
    firstRow: rowFrom - firstRow,
    encoding,
    statistics: { valueCount, nullCount: rowCount - valueCount, bounds },
  };
}

/** One bit per row, 1 = a value, with their length in bytes before them. null: no row is NULL. */
function writeDefinitionLevels(
  validity: Uint8Array | null,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  const lengthAt = out.length;
  out.uint32(0);
  if (validity === null) writeRun(1, to - from, 1, out);
  else writeHybrid(validity, from, to, 1, out);
  out.patchUint32(lengthAt, out.length - lengthAt - 4);
}
