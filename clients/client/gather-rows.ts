// Rows to the columns of a batch. What a row lacks is null.
//
// Rows are checked whole before the first of them is taken, so that a call is refused as one.

import { bytesOf, invalidRows, KIND, kindOf, toCell, toTimeUs, unify } from "./cells.ts";
import type { CellValue, EncodableColumns } from "./columns.ts";

/**
 * `time` may be a Date, milliseconds, microseconds as a bigint, or RFC 3339; without it a row gets
 * the time of the call. Objects and lists are stored as JSON text.
 */
export type Row = Readonly<
  Record<string, string | number | bigint | boolean | Date | object | null | undefined>
>;

export interface CheckedRow {
  readonly names: readonly string[];
  readonly cells: readonly CellValue[];
  readonly bytes: number;
}

/** Of a batch: the server takes no more. */
const COLUMNS_MAX = 1_024;
/** The server would refuse the whole batch, of which other writes are part. */
const COLUMN_NAME = /^\P{Cc}{1,128}$/u;

/** Throws `rows_invalid` naming the row, counted from 0, and the column. */
export function checkRows(measurement: string, rows: readonly Row[]): CheckedRow[] {
  const nowUs = Date.now() * 1_000;
  return rows.map((row, index) => checkRow(measurement, row, index, nowUs));
}

function checkRow(measurement: string, row: Row, index: number, nowUs: number): CheckedRow {
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    throw invalidRows(measurement, { row: index }, new TypeError("a row is an object"));
  }
  const names: string[] = ["time"];
  const cells: CellValue[] = [nowUs];
  let bytes = 9;
  for (const [name, value] of Object.entries(row)) {
    if (value === undefined) continue;
    try {
      if (name === "time") {
        cells[0] = toTimeUs(value, nowUs);
        continue;
      }
      if (!COLUMN_NAME.test(name)) throw new RangeError("no column can be called so");
      const cell = toCell(value);
      names.push(name);
      cells.push(cell);
      bytes += bytesOf(cell);
    } catch (error) {
      throw invalidRows(measurement, { row: index, column: name }, error);
    }
  }
  return { names, cells, bytes };
}

interface Column {
  /** Ends with the last row that has a value. */
  readonly cells: CellValue[];
  kinds: number;
}

/** The rows of one batch that is not closed yet. */
export class GatheredRows {
  readonly #columns = new Map<string, Column>();
  readonly #lowerCaseNames = new Set<string>();
  rowCount = 0;
  bytes = 0;

  /** The server refuses names that differ only in case, which is not to befall the other rows. */
  hasPlaceFor({ names }: CheckedRow): boolean {
    if (this.rowCount === 0) return true;
    const added = names.filter((name) => !this.#columns.has(name));
    const isTwin = added.some((name) => this.#lowerCaseNames.has(name.toLowerCase()));
    return !isTwin && this.#columns.size + added.length <= COLUMNS_MAX;
  }

  add({ names, cells, bytes }: CheckedRow): void {
    for (let at = 0; at < names.length; at++) {
      const name = names[at]!;
      let column = this.#columns.get(name);
      if (column === undefined) {
        column = { cells: [], kinds: 0 };
        this.#columns.set(name, column);
        this.#lowerCaseNames.add(name.toLowerCase());
      }
      while (column.cells.length < this.rowCount) column.cells.push(null);
      const cell = cells[at]!;
      column.cells.push(cell);
      column.kinds |= kindOf(cell);
    }
    this.rowCount++;
    this.bytes += bytes;
  }

  /**
   * `floatColumns` are those of the measurement that have had a float. A batch of them that has
   * only whole numbers is sent as floats, too, and what is found here is added.
   */
  columns(floatColumns: Set<string>): EncodableColumns {
    const named = [...this.#columns].map(([name, { cells, kinds }]) => {
      while (cells.length < this.rowCount) cells.push(null);
      if ((kinds & KIND.float) !== 0) floatColumns.add(name);
      const isFloat = (kinds & KIND.integer) !== 0 && floatColumns.has(name);
      return [name, unify(cells, isFloat ? kinds | KIND.float : kinds)] as const;
    });
    return Object.fromEntries(named);
  }
}
