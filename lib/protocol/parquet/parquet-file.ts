// A Parquet file of somebody else: its columns, and where their pages lie.
//
// The footer is read by hyparquet, which trusts what it reads; so the footer is bounded first, and
// everything that it says of places and counts is held against the file before it is used.
// Format: https://github.com/apache/parquet-format. Next: pages.ts.

import { parquetMetadata, parquetSchema } from "hyparquet";
import type { FileMetaData, SchemaElement, SchemaTree } from "hyparquet";
import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";

export interface ParquetFile {
  readonly bytes: Uint8Array;
  readonly fields: readonly ParquetField[];
  readonly rowGroups: readonly ParquetRowGroup[];
}

/** A column of the table; one leaf, or several that are assembled. */
export interface ParquetField {
  readonly name: string;
  readonly tree: SchemaTree;
  readonly leaves: readonly ParquetLeaf[];
  readonly isNested: boolean;
}

export interface ParquetLeaf {
  /** Among the leaves of the file, and the chunks of a row group. */
  readonly ordinal: number;
  /** From the root to the leaf. */
  readonly path: readonly SchemaTree[];
  readonly element: SchemaElement;
  readonly definitionLevelMax: number;
  readonly repetitionLevelMax: number;
}

export interface ParquetRowGroup {
  /** Of the file. */
  readonly firstRow: number;
  readonly rowCount: number;
  readonly chunks: readonly ParquetChunk[];
}

export interface ParquetChunk {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
  /** NULLs too. */
  readonly valueCount: number;
  readonly codec: string;
}

const MAGIC = 0x3152_4150;
/** Magic in front; length of the footer and magic behind. */
const HEAD_BYTES = 4;
const TAIL_BYTES = 8;

/** Refuses: `parquet_invalid`, `batch_too_large`. */
export function openParquet(bytes: Uint8Array): ParquetFile {
  const footerAt = locateFooter(bytes);
  const metadata = guarded("the footer", () =>
    parquetMetadata(bytes.subarray(footerAt), { geoparquet: false }),
  );
  const fields = guarded("the schema", () => readFields(metadata));
  if (fields.length === 0) throw damaged("the file has no columns");
  const leaves = fields.flatMap(({ leaves: own }) => own);
  return { bytes, fields, rowGroups: readRowGroups(metadata, leaves, footerAt) };
}

export function damaged(reason: string, detail: Record<string, string | number> = {}): SluiceError {
  return new SluiceError("parquet_invalid", reason, detail);
}

/** What hyparquet throws at bytes that are not as they should be becomes a refusal. */
export function guarded<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (isSluiceError(cause)) throw cause;
    const message = `${what} is damaged: ${(cause as Error).message}`;
    throw new SluiceError("parquet_invalid", message, {}, { cause });
  }
}

function locateFooter(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { byteLength } = bytes;
  const isParquet =
    byteLength >= HEAD_BYTES + TAIL_BYTES &&
    view.getUint32(0, true) === MAGIC &&
    view.getUint32(byteLength - 4, true) === MAGIC;
  if (!isParquet) {
    throw damaged('the file does not begin and end with "PAR1": it is no Parquet, or cut short');
  }
  const footerBytes = view.getUint32(byteLength - TAIL_BYTES, true);
  const limit = LIMITS.importFooterBytesMax;
  if (footerBytes > limit) {
    const message = `the footer has ${footerBytes} bytes, more than ${limit}; import in parts`;
    throw new SluiceError("batch_too_large", message, { limit });
  }
  const footerAt = byteLength - TAIL_BYTES - footerBytes;
  if (footerAt < HEAD_BYTES) throw damaged(`a footer of ${footerBytes} bytes is beyond the file`);
  return footerAt;
}

function readFields(metadata: FileMetaData): ParquetField[] {
  const root = parquetSchema(metadata);
  let ordinal = 0;
  const leavesOf = (path: readonly SchemaTree[]): ParquetLeaf[] => {
    const node = path.at(-1)!;
    const isGroup = node.element.type === undefined;
    if (isGroup) return node.children.flatMap((child) => leavesOf([...path, child]));
    return [leafOf(path, ordinal++)];
  };
  return root.children.map((tree) => {
    const leaves = leavesOf([root, tree]);
    const name = tree.element.name;
    if (leaves.length === 0) throw damaged(`column ${JSON.stringify(name)} has no fields`);
    const isNested = leaves.length > 1 || leaves[0]!.path.length > 2 || isRepeated(tree);
    return { name, tree, leaves, isNested };
  });
}

function leafOf(path: readonly SchemaTree[], ordinal: number): ParquetLeaf {
  const nodes = path.slice(1);
  return {
    ordinal,
    path,
    element: path.at(-1)!.element,
    definitionLevelMax: nodes.filter(({ element }) => element.repetition_type !== "REQUIRED")
      .length,
    repetitionLevelMax: nodes.filter(isRepeated).length,
  };
}

function isRepeated({ element }: SchemaTree): boolean {
  return element.repetition_type === "REPEATED";
}

function readRowGroups(
  metadata: FileMetaData,
  leaves: readonly ParquetLeaf[],
  footerAt: number,
): ParquetRowGroup[] {
  const rowGroups: ParquetRowGroup[] = [];
  let firstRow = 0;
  for (const [i, { columns, num_rows: rows }] of metadata.row_groups.entries()) {
    const rowCount = count(rows, `the rows of row group ${i}`);
    if (columns.length !== leaves.length) {
      throw damaged(`row group ${i} has ${columns.length} chunks for ${leaves.length} columns`);
    }
    const chunks = columns.map((column, at) => {
      const name = leaves[at]!.path.slice(1).map(({ element }) => element.name);
      const what = `column ${JSON.stringify(name.join("."))} in row group ${i}`;
      return readChunk(column, what, footerAt);
    });
    for (const { ordinal, repetitionLevelMax } of leaves) {
      const { valueCount } = chunks[ordinal]!;
      const isOk = repetitionLevelMax > 0 ? valueCount >= rowCount : valueCount === rowCount;
      if (!isOk) throw damaged(`row group ${i} has ${rowCount} rows and ${valueCount} values`);
    }
    rowGroups.push({ firstRow, rowCount, chunks });
    firstRow += rowCount;
  }
  checkCells(firstRow, leaves.length);
  return rowGroups.filter(({ rowCount }) => rowCount > 0);
}

type ColumnChunkFacts = FileMetaData["row_groups"][number]["columns"][number];

function readChunk(column: ColumnChunkFacts, what: string, footerAt: number): ParquetChunk {
  const data = column.meta_data;
  if (data === undefined || column.file_path !== undefined) {
    throw damaged(`${what} is encrypted or lies in another file`);
  }
  const dataAt = count(data.data_page_offset, `the place of ${what}`);
  const dictionaryAt = count(data.dictionary_page_offset ?? 0n, `the dictionary of ${what}`);
  // Some writers give 0 where there is no dictionary.
  const start = dictionaryAt > 0 ? Math.min(dictionaryAt, dataAt) : dataAt;
  const end = start + count(data.total_compressed_size, `the size of ${what}`);
  const valueCount = count(data.num_values, `the count of ${what}`);
  if (valueCount > 0 && (start < HEAD_BYTES || end > footerAt))
    throw damaged(`${what} lies beyond the file`);
  return { start, end, valueCount, codec: data.codec };
}

function count(value: bigint | number | undefined, what: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw damaged(`${what} cannot be ${String(value)}`);
}

function checkCells(rowCount: number, leafCount: number): void {
  const limit = LIMITS.importCellsMax;
  if (rowCount * leafCount <= limit) return;
  const message =
    `${rowCount} rows of ${leafCount} columns are more than ${limit} cells; ` +
    "import the file in parts";
  throw new SluiceError("batch_too_large", message, { limit });
}
