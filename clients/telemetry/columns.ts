// Columns as a client holds them: plain arrays, one per column, all of equal length.

/**
 * A plain array is sent value by value, whole numbers as integers. A Float64Array is sent as floats
 * whatever its values are, a BigInt64Array as integers beyond what a number can hold.
 */
export type ColumnValues = readonly CellValue[] | Float64Array | BigInt64Array;

export type CellValue = string | number | boolean | null;

export type Columns = Readonly<Record<string, ColumnValues>>;

export interface Measurement {
  readonly name: string;
  readonly rowCount: number;
  readonly columns: Columns;
}

/** Consecutive runs of at most `rowsPerBatch` rows. */
export function* splitRows(measurement: Measurement, rowsPerBatch: number): Generator<Measurement> {
  const { name, rowCount, columns } = measurement;
  for (let from = 0; from < rowCount; from += rowsPerBatch) {
    const to = Math.min(from + rowsPerBatch, rowCount);
    const slices = Object.entries(columns).map(([key, values]) => [key, values.slice(from, to)]);
    yield { name, rowCount: to - from, columns: Object.fromEntries(slices) };
  }
}
