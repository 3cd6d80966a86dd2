// Columns as a client holds them: one list per column, all of equal length.

/**
 * A plain list is sent value by value, whole numbers as integers. A Float64Array is sent as floats
 * whatever its values are, a BigInt64Array as integers beyond what a number can hold.
 */
export type ColumnValues = readonly CellValue[] | Float64Array | BigInt64Array;

/** A Date becomes a timestamp. */
export type CellValue = string | number | bigint | boolean | Date | null;

export type Columns = Readonly<Record<string, ColumnValues>>;

/** Floats, whole or not, of which some are missing. */
export interface SparseFloats {
  readonly length: number;
  readonly floats: readonly (number | null)[];
}

/** Columns as they are sent. */
export type EncodableColumns = Readonly<Record<string, ColumnValues | SparseFloats>>;
