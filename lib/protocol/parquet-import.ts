// A Parquet file to batches: read once to check every value, once more to write them.
//
// The file is never in memory as rows. The first reading goes column by column and page by page,
// and learns how many bytes each stretch of rows will take; the second writes batches of a bounded
// size, cut where the first reading says. So the same file is always cut alike, and a file that the
// first reading passes is stored whole.
//
// Refuses, naming column and row: values that no column can hold, and times that are none.
// Next: workers/ingest/import-parquet.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND, type ScannedColumn, TIME_COLUMN } from "#lib/columnar/kinds.ts";
import { ByteBudget, type CellWriter } from "./cell-writer.ts";
import { checkNames } from "./csv-import.ts";
import { BatchBuilder } from "./encode-batch.ts";
import { TAG, TIMESTAMP_EXTENSION } from "./msgpack-tags.ts";
import type { Cell, CellKind } from "./parquet/cells.ts";
import { type FieldReader, fieldReader } from "./parquet/fields.ts";
import { openParquet, type ParquetFile, type ParquetRowGroup } from "./parquet/parquet-file.ts";
import { parseTime, type TimeFormat } from "./text-times.ts";
import { floorDivide } from "./time-column.ts";

export interface ParquetOptions {
  readonly measurement: string;
  readonly timeColumn: string;
  /** Of integers and texts. null: found out for each by itself. */
  readonly timeFormat: TimeFormat | null;
}

export interface ParquetContent {
  readonly rowCount: number;
  /** `time` among them. */
  readonly columns: readonly ScannedColumn[];
  readonly timeMinUs: bigint;
  readonly timeMaxUs: bigint;
  /** UTC days with a row. */
  readonly dayCount: number;
  /** How the second reading cuts the file. */
  readonly slices: readonly ParquetSlice[];
}

/** Rows `[from, to)` of a row group: one batch. */
export interface ParquetSlice {
  readonly rowGroup: ParquetRowGroup;
  readonly from: number;
  readonly to: number;
}

/** First reading. Refuses: `parquet_invalid`, `batch_too_large`, and what a value can be wrong. */
export function scanParquet(bytes: Uint8Array, options: ParquetOptions): ParquetContent {
  const { file, readers, timeReader } = openForImport(bytes, options);
  const times = new TimeTally();
  const tallies = readers.map(({ field }) => ({ name: field.name, valueCount: 0, nullCount: 0 }));
  const slices: ParquetSlice[] = [];
  const spend = decodeBudget();
  let rowCount = 0;
  for (const rowGroup of file.rowGroups) {
    const sizes = new RowSizes(rowGroup);
    for (const [i, reader] of readers.entries()) {
      const tally = tallies[i]!;
      const isTime = reader === timeReader;
      const take = (cell: Cell | null, row: number): void => {
        if (isTime) times.add(timeOf(cell, reader, rowGroup, row, options));
        if (cell === null) tally.nullCount += 1;
        else tally.valueCount += 1;
        sizes.add(row, cell === null ? 1 : cellBytes(cell, reader.kind));
      };
      reader.read(rowGroup, 0, rowGroup.rowCount, take, spend);
    }
    slices.push(...sizes.cut());
    rowCount += rowGroup.rowCount;
  }
  if (rowCount === 0) throw new SluiceError("parquet_invalid", "the file has no rows");
  const columns = readers.map((reader, i) => scanned(tallies[i]!, reader, reader === timeReader));
  return { rowCount, columns, ...times.bounds(), slices };
}

/** Second reading: batches in columnar form, not compressed. `content`: what scanParquet found. */
export function* parquetBatches(
  bytes: Uint8Array,
  options: ParquetOptions,
  content: ParquetContent,
): Generator<Uint8Array> {
  const { readers, timeReader } = openForImport(bytes, options);
  for (const { rowGroup, from, to } of content.slices) {
    const budget = new ByteBudget(LIMITS.gatheredBytesMax);
    const builder = new BatchBuilder(options.measurement, budget);
    for (const reader of readers) {
      if (reader === timeReader) {
        const takeTime = (cell: Cell | null, row: number) =>
          builder.time.writeInteger(timeOf(cell, reader, rowGroup, row, options));
        reader.read(rowGroup, from, to, takeTime, () => {});
      } else {
        const column = builder.column(reader.field.name);
        const take = (cell: Cell | null, row: number) => {
          if (cell === null) column.padTo(row - from + 1);
          else writeCell(column, cell, reader.kind);
        };
        reader.read(rowGroup, from, to, take, () => {});
      }
    }
    builder.endRows(rowGroup.firstRow + from, to - from);
    yield builder.finish();
  }
}

interface OpenImport {
  readonly file: ParquetFile;
  readonly readers: readonly FieldReader[];
  readonly timeReader: FieldReader;
}

function openForImport(bytes: Uint8Array, { timeColumn }: ParquetOptions): OpenImport {
  const file = openParquet(bytes);
  const names = file.fields.map(({ name }) => name);
  const limit = LIMITS.columnsPerBatchMax;
  if (names.length > limit) {
    const message = `the file has ${names.length} columns, more than ${limit}`;
    throw new SluiceError("batch_too_large", message, { limit });
  }
  const timeIndex = names.indexOf(timeColumn);
  if (timeIndex === -1) {
    const message = `the file has no column ${JSON.stringify(timeColumn)} to take the time from`;
    throw new SluiceError("parameter_invalid", message, { field: "time_column" });
  }
  checkNames(names, timeColumn);
  const readers = file.fields.map((field) => fieldReader(bytes, field));
  return { file, readers, timeReader: readers[timeIndex]! };
}

/** In µs. Refuses: `time_invalid`, `value_out_of_range`. */
function timeOf(
  cell: Cell | null,
  { field, kind }: FieldReader,
  { firstRow }: ParquetRowGroup,
  rowOfGroup: number,
  { timeFormat }: ParquetOptions,
): bigint {
  if (kind === "timestamp" && cell !== null) return cell as bigint;
  const row = firstRow + rowOfGroup;
  try {
    if (cell === null) throw new SluiceError("time_invalid", "the time is NULL");
    return parseTime(cell instanceof Uint8Array ? UTF8.decode(cell) : String(cell), timeFormat);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const column = field.name;
    const message = `column ${JSON.stringify(column)}, row ${row}: ${error.message}`;
    throw new SluiceError(error.code, message, { column, row });
  }
}

const UTF8 = new TextDecoder();
const DAY_US = 86_400_000_000n;

class TimeTally {
  readonly #days = new Set<bigint>();
  #minUs: bigint = LIMITS.timeUsMax;
  #maxUs: bigint = LIMITS.timeUsMin;

  add(us: bigint): void {
    if (us < this.#minUs) this.#minUs = us;
    if (us > this.#maxUs) this.#maxUs = us;
    this.#days.add(floorDivide(us, DAY_US));
  }

  bounds(): { timeMinUs: bigint; timeMaxUs: bigint; dayCount: number } {
    return { timeMinUs: this.#minUs, timeMaxUs: this.#maxUs, dayCount: this.#days.size };
  }
}

/** Pages of a few bytes can each decompress to megabytes: all together are bounded, too. */
function decodeBudget(): (byteLength: number) => void {
  const limit = LIMITS.importDecodedBytesMax;
  let left: number = limit;
  return (byteLength) => {
    left -= byteLength;
    if (left >= 0) return;
    const message = `the file decompresses to more than ${limit} bytes; import it in parts`;
    throw new SluiceError("batch_too_large", message, { limit });
  };
}

const BLOCK_ROWS = 64;

/** How many bytes rows take as cells, in blocks of a few, and where that makes a batch. */
class RowSizes {
  readonly #rowGroup: ParquetRowGroup;
  readonly #blocks: Float64Array;

  constructor(rowGroup: ParquetRowGroup) {
    this.#rowGroup = rowGroup;
    this.#blocks = new Float64Array(Math.ceil(rowGroup.rowCount / BLOCK_ROWS));
  }

  add(row: number, byteLength: number): void {
    this.#blocks[Math.floor(row / BLOCK_ROWS)]! += byteLength;
  }

  /** Refuses (`batch_too_large`) a block that is more than a batch by itself. */
  cut(): ParquetSlice[] {
    const { rowCount, firstRow } = this.#rowGroup;
    const slices: ParquetSlice[] = [];
    let from = 0;
    let byteLength = 0;
    for (const [block, own] of this.#blocks.entries()) {
      const at = block * BLOCK_ROWS;
      if (own > LIMITS.importSliceBytesMax) {
        const limit = LIMITS.importSliceBytesMax;
        const row = firstRow + at;
        const message = `the ${BLOCK_ROWS} rows from row ${row} on have more than ${limit} bytes`;
        throw new SluiceError("batch_too_large", message, { row, limit });
      }
      byteLength += own;
      const isFull = byteLength > LIMITS.importSliceBytesMax;
      if (isFull || at - from >= LIMITS.rowGroupRows) {
        slices.push({ rowGroup: this.#rowGroup, from, to: at });
        from = at;
        byteLength = own;
      }
    }
    slices.push({ rowGroup: this.#rowGroup, from, to: rowCount });
    return slices;
  }
}

/** At most, as MessagePack. */
function cellBytes(cell: Cell, kind: CellKind): number {
  if (kind === "text") return 5 + (typeof cell === "string" ? 3 : 1) * (cell as string).length;
  return kind === "timestamp" ? TIMESTAMP_BYTES : 9;
}

function scanned(
  { name, valueCount, nullCount }: { name: string; valueCount: number; nullCount: number },
  { kind }: FieldReader,
  isTime: boolean,
): ScannedColumn {
  if (isTime) return { name: TIME_COLUMN, nullCount: 0, kinds: KIND.int, firstRows: { int: 0 } };
  if (valueCount === 0) return { name, nullCount, kinds: 0, firstRows: {} };
  return { name, nullCount, kinds: KIND[kind], firstRows: { [kind]: 0 } };
}

function writeCell(column: CellWriter, cell: Cell, kind: CellKind): void {
  if (kind === "int") column.writeInteger(cell as number | bigint);
  else if (kind === "float") column.writeFloat(cell as number);
  else if (kind === "bool") column.writeBoolean(cell as boolean);
  else if (kind === "timestamp") writeTimestamp(column, cell as bigint);
  else if (typeof cell === "string") column.writeString(cell);
  else column.writeText(cell as Uint8Array, 0, (cell as Uint8Array).length);
}

/** The form with room for all years: tag, length, type, nanoseconds, seconds. */
const TIMESTAMP_BYTES = 15;
const TIMESTAMP = new DataView(new ArrayBuffer(TIMESTAMP_BYTES));
TIMESTAMP.setUint8(0, TAG.ext8);
TIMESTAMP.setUint8(1, 12);
TIMESTAMP.setInt8(2, TIMESTAMP_EXTENSION);

function writeTimestamp(column: CellWriter, us: bigint): void {
  const seconds = floorDivide(us, 1_000_000n);
  TIMESTAMP.setUint32(3, Number(us - seconds * 1_000_000n) * 1_000);
  TIMESTAMP.setBigInt64(7, seconds);
  column.copyCells(new Uint8Array(TIMESTAMP.buffer), 0, TIMESTAMP_BYTES, 1);
}
