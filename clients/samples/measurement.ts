// The rows of one measurement, as the samples are made and cut into batches.

import type { Columns } from "../client/columns.ts";

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
