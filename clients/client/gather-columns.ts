// Columns of a caller, lists and typed arrays, to those of batches.

import { bytesOf, invalidRows, KIND, kindOf, toCell, toTimeUs, unify } from "./cells.ts";
import type { CellValue, ColumnValues, EncodableColumns, SparseFloats } from "./columns.ts";

export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** Of a list the cells may be what those of a row may be. */
export type WritableColumns = Readonly<
  Record<string, NumberArray | readonly (CellValue | object | undefined)[]>
>;

export interface Gathered {
  readonly columns: EncodableColumns;
  readonly rowCount: number;
  readonly bytes: number;
}

/** Throws `rows_invalid`. Floats stay floats, whatever their values. `time` is as in a row. */
export function gatherColumns(
  measurement: string,
  columns: WritableColumns,
  floatColumns: Set<string>,
): Gathered {
  const entries = Object.entries(columns);
  const rowCount = entries[0]?.[1].length ?? 0;
  const gathered: [string, ColumnValues | SparseFloats][] = [];
  let bytes = 0;
  for (const [name, values] of entries) {
    if (values.length !== rowCount) {
      const reason = `has ${values.length} values, ${entries[0]![0]} has ${rowCount}`;
      throw invalidRows(measurement, { column: name }, new RangeError(reason));
    }
    const column =
      name === "time"
        ? timesOf(measurement, values)
        : columnOf(measurement, name, values, floatColumns);
    bytes += column.bytes;
    gathered.push([name, column.values]);
  }
  if (!("time" in columns)) {
    gathered.unshift(["time", nowTimes(rowCount)]);
    bytes += 9 * rowCount;
  }
  return { columns: Object.fromEntries(gathered), rowCount, bytes };
}

function nowTimes(rowCount: number): number[] {
  const nowUs = Date.now() * 1_000;
  return Array.from({ length: rowCount }, () => nowUs);
}

/** Of all columns the same rows. */
export function sliceColumns(columns: EncodableColumns, from: number, to: number) {
  const slices = Object.entries(columns).map(([name, values]) => {
    if (!("floats" in values)) return [name, values.slice(from, to)] as const;
    const floats = values.floats.slice(from, to);
    return [name, { length: floats.length, floats }] as const;
  });
  return Object.fromEntries(slices);
}

interface SizedColumn {
  readonly values: ColumnValues | SparseFloats;
  readonly bytes: number;
}

function timesOf(measurement: string, values: WritableColumns[string]): SizedColumn {
  if (values instanceof BigInt64Array) return { values: values.slice(), bytes: values.length * 9 };
  const nowUs = Date.now() * 1_000;
  const cells = mapCells(measurement, "time", values, (value) => toTimeUs(value, nowUs));
  return { values: cells, bytes: cells.length * 9 };
}

/** The caller may go on using what he gave: it is copied. */
function columnOf(
  measurement: string,
  name: string,
  values: WritableColumns[string],
  floatColumns: Set<string>,
): SizedColumn {
  if (values instanceof Float64Array || values instanceof Float32Array) {
    floatColumns.add(name);
    return { values: Float64Array.from(values), bytes: values.length * 9 };
  }
  if (values instanceof BigInt64Array) return { values: values.slice(), bytes: values.length * 9 };
  let kinds = 0;
  let bytes = 0;
  const cells = mapCells(measurement, name, values, (value) => {
    const cell = toCell(value);
    kinds |= kindOf(cell);
    bytes += bytesOf(cell);
    return cell;
  });
  if ((kinds & KIND.float) !== 0) floatColumns.add(name);
  if ((kinds & KIND.integer) !== 0 && floatColumns.has(name)) kinds |= KIND.float;
  return { values: unify(cells, kinds), bytes };
}

function mapCells<T>(
  measurement: string,
  column: string,
  values: WritableColumns[string],
  map: (value: unknown) => T,
): T[] {
  return Array.from(values as ArrayLike<unknown>, (value, row) => {
    try {
      return map(value);
    } catch (error) {
      throw invalidRows(measurement, { row, column }, error);
    }
  });
}
