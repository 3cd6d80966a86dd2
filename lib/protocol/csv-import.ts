// A CSV file to batches: read once to find the type of every column, once more to write them.
//
// A column is what all its fields are: integers, numbers, booleans, else text; an empty field is
// NULL. So nothing is lost by guessing: what has leading zeros, or does not fit int64, stays as it
// was written. A large file comes in parts: a column is what its fields are up to the part at hand,
// and whether the table still takes it is for the schema to say.
//
// Refuses, naming the line: records of another length than the header, and times that are none.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { KIND, type ScannedColumn, TIME_COLUMN } from "#lib/columnar/kinds.ts";
import { ByteBudget } from "./cell-writer.ts";
import { CsvReader } from "./csv-reader.ts";
import { BatchBuilder } from "./encode-batch.ts";
import { NameCache } from "./name-cache.ts";
import { floorDivide } from "./time-column.ts";
import { parseTime, type TimeFormat } from "./text-times.ts";

export interface CsvOptions {
  readonly measurement: string;
  readonly timeColumn: string;
  /** null: RFC 3339, or an integer whose unit its magnitude tells. */
  readonly timeFormat: TimeFormat | null;
  readonly delimiter: string;
  /** Lines before the header. */
  readonly skipLines: number;
}

/** Whole records; the first part has the header. */
export interface CsvPart {
  readonly text: string;
  /** What line of the file it begins with. */
  readonly firstLine: number;
}

export interface CsvContent {
  readonly rowCount: number;
  /** `time` among them. */
  readonly columns: readonly ScannedColumn[];
  readonly timeMinUs: bigint;
  readonly timeMaxUs: bigint;
  /** UTC days with a row. */
  readonly dayCount: number;
}

const TEXT = KIND.text;
const NUMBERS = KIND.int | KIND.float;
const INTEGER = /^-?(?:0|[1-9]\d{0,18})$/;
const FLOAT = /^-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const BOOLEAN = /^(?:true|false)$/i;
/** Of one batch; cells that are numbers take up to four times as much as columns. */
const BATCH_CHARS = 4_000_000;
const DAY_US = 86_400_000_000n;

interface FoundColumn {
  readonly name: string;
  kinds: number;
  nullCount: number;
  /** The first line with a field that made the column what it is. */
  line: number;
}

/** A file whose parts are read in order: each is scanned, and then, once or never, written. */
export class CsvFile {
  readonly #options: CsvOptions;
  readonly #days = new Set<bigint>();
  #columns: readonly FoundColumn[] = [];
  #timeIndex = -1;
  #timeMinUs: bigint = LIMITS.timeUsMax;
  #timeMaxUs: bigint = LIMITS.timeUsMin;
  #rowCount = 0;

  constructor(options: CsvOptions) {
    this.#options = options;
  }

  get measurement(): string {
    return this.#options.measurement;
  }

  /** First reading: what is in it? */
  scan(part: CsvPart): void {
    const reader = this.#open(part);
    for (const fields of records(reader, this.#columns.length)) {
      const timeUs = this.#timeOf(reader, fields);
      if (timeUs < this.#timeMinUs) this.#timeMinUs = timeUs;
      if (timeUs > this.#timeMaxUs) this.#timeMaxUs = timeUs;
      this.#days.add(floorDivide(timeUs, DAY_US));
      for (const [i, column] of this.#columns.entries()) {
        noteField(column, fields[i]!, reader.recordLine);
      }
      this.#rowCount += 1;
    }
  }

  /** What the parts that were scanned have. In `firstRows` stand lines of the file. */
  get content(): CsvContent {
    const columns = this.#columns.map(({ name, kinds, nullCount, line }, i): ScannedColumn => {
      if (i === this.#timeIndex) {
        return { name: TIME_COLUMN, nullCount: 0, kinds: KIND.int, firstRows: { int: 0 } };
      }
      return { name, nullCount, kinds, firstRows: firstRowsOf(kinds, line) };
    });
    return {
      rowCount: this.#rowCount,
      columns,
      timeMinUs: this.#timeMinUs,
      timeMaxUs: this.#timeMaxUs,
      dayCount: this.#days.size,
    };
  }

  /**
   * Second reading: batches in columnar form, not compressed. Columns are what all parts that were
   * scanned by now make them.
   */
  *batches(part: CsvPart): Generator<Uint8Array> {
    const reader = this.#open(part);
    const newBuilder = () =>
      new BatchBuilder(this.#options.measurement, new ByteBudget(LIMITS.gatheredBytesMax));
    let builder = newBuilder();
    let start = reader.position;
    for (const fields of records(reader, this.#columns.length)) {
      builder.time.writeInteger(this.#timeOf(reader, fields));
      for (const [i, { name, kinds }] of this.#columns.entries()) {
        if (i !== this.#timeIndex) writeField(builder, name, kinds, fields[i]!);
      }
      builder.endRows(reader.recordLine);
      if (reader.position - start < BATCH_CHARS) continue;
      yield builder.finish();
      builder = newBuilder();
      start = reader.position;
    }
    if (builder.rowCount > 0) yield builder.finish();
  }

  /** At its first row. */
  #open({ text, firstLine }: CsvPart): CsvReader {
    const { delimiter, skipLines, timeColumn } = this.#options;
    const reader = new CsvReader(text, delimiter, firstLine);
    if (firstLine > 1) return reader;
    reader.skipLines(skipLines);
    const names = reader.next();
    if (this.#columns.length > 0) return reader;
    if (names === null) throw new SluiceError("csv_invalid", "the file has no header");
    this.#timeIndex = names.indexOf(timeColumn);
    if (this.#timeIndex === -1) {
      const message = `the header has no column ${JSON.stringify(timeColumn)} to take the time from`;
      throw new SluiceError("parameter_invalid", message, { field: "time_column" });
    }
    checkNames(names, timeColumn);
    this.#columns = names.map((name) => ({ name, kinds: 0, nullCount: 0, line: 0 }));
    return reader;
  }

  #timeOf(reader: CsvReader, fields: readonly string[]): bigint {
    try {
      return parseTime(fields[this.#timeIndex]!, this.#options.timeFormat);
    } catch (error) {
      throw error instanceof SluiceError ? atLine(reader, error) : error;
    }
  }
}

/** Refuses (`column_name_invalid`) names that no table takes. */
export function checkNames(names: readonly string[], timeColumn: string): void {
  const cache = new NameCache();
  for (const [i, name] of names.entries()) {
    const bytes = new TextEncoder().encode(name);
    cache.name(bytes, 0, bytes.length);
    if (names.indexOf(name) < i) {
      const message = `column ${JSON.stringify(name)} is there twice`;
      throw new SluiceError("column_name_invalid", message, { column: name });
    }
    if (name === TIME_COLUMN && name !== timeColumn) {
      const message = `"${name}" is the column of the time, which is taken from "${timeColumn}"`;
      throw new SluiceError("column_name_invalid", message, { column: name });
    }
  }
}

function* records(reader: CsvReader, fieldCount: number): Generator<string[]> {
  for (let fields = reader.next(); fields !== null; fields = reader.next()) {
    if (fields.length !== fieldCount) {
      const message = `${fields.length} fields, but the header has ${fieldCount}`;
      throw atLine(reader, new SluiceError("csv_invalid", message));
    }
    yield fields;
  }
}

function atLine({ recordLine }: CsvReader, { code, message }: SluiceError): SluiceError {
  return new SluiceError(code, `line ${recordLine}: ${message}`, { line: recordLine });
}

function noteField(column: FoundColumn, field: string, line: number): void {
  if (field === "") {
    column.nullCount += 1;
  } else if (column.kinds !== TEXT) {
    const kinds = joinKinds(column.kinds, kindOf(field));
    if (kinds !== column.kinds) column.line = line;
    column.kinds = kinds;
  }
}

function kindOf(field: string): number {
  if (INTEGER.test(field)) {
    return BigInt.asIntN(64, BigInt(field)) === BigInt(field) ? KIND.int : TEXT;
  }
  if (FLOAT.test(field)) return Number.isFinite(Number(field)) ? KIND.float : TEXT;
  return BOOLEAN.test(field) ? KIND.bool : TEXT;
}

function joinKinds(one: number, other: number): number {
  if (one === other || one === 0) return other;
  return ((one | other) & ~NUMBERS) === 0 ? KIND.float : TEXT;
}

function firstRowsOf(kinds: number, line: number): ScannedColumn["firstRows"] {
  if (kinds === 0) return {};
  if (kinds === KIND.int) return { int: line };
  if (kinds === KIND.float) return { float: line };
  return kinds === KIND.bool ? { bool: line } : { text: line };
}

function writeField(builder: BatchBuilder, name: string, kinds: number, field: string): void {
  const column = builder.column(name);
  if (field === "") column.padTo(builder.rowCount + 1);
  else if (kinds === KIND.int) column.writeInteger(BigInt(field));
  else if (kinds === KIND.float) column.writeFloat(Number(field));
  else if (kinds === KIND.bool) column.writeBoolean(field.toLowerCase() === "true");
  else column.writeString(field);
}
