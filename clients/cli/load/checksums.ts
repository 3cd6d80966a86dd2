// One whole number per column, the same in JavaScript and in SQL, by which rows are compared.
//
// Sums, because they can be asked for with GROUP BY in any SQL, and because n copies of a batch
// have n times its sums: a batch that was lost once and stored twice shows up where counts agree.

import type { CellValue, Columns, ColumnValues } from "../../client/columns.ts";

export interface Checksum {
  /** An aggregate in DuckDB's dialect that gives the sum as text. */
  readonly sql: string;
  readonly sum: bigint;
}

/** By column. */
export type Checksums = Readonly<Record<string, Checksum>>;

/** Times are summed as milliseconds, texts by length, floats in hundredths, NULLs as nothing. */
export function checksumsOf(columns: Columns): Checksums {
  const entries = Object.entries(columns).map(([name, values]) => [name, checksum(name, values)]);
  return Object.fromEntries(entries) as Checksums;
}

function checksum(name: string, values: ColumnValues): Checksum {
  if (name === "time") return { sql: asText(`epoch_ms("time")`), sum: sumOf(values, Number) };
  if (values instanceof Float64Array) {
    const hundredths = `CAST(round("${name}" * 100) AS BIGINT)`;
    return {
      sql: asText(hundredths),
      sum: sumOf(values, (value) => Math.round(Number(value) * 100)),
    };
  }
  const example = (values as readonly unknown[]).find((value) => value !== null);
  // A column that can be all NULL, as the parents of a batch of root spans, is text.
  if (example === undefined || typeof example === "string") {
    return {
      sql: asText(`length("${name}")`),
      sum: sumOf(values, (value) => String(value).length),
    };
  }
  return { sql: asText(`CAST("${name}" AS BIGINT)`), sum: sumOf(values, Number) };
}

function asText(expression: string): string {
  return `CAST(coalesce(sum(${expression}), 0) AS VARCHAR)`;
}

function sumOf(values: ColumnValues, toWhole: (value: CellValue) => number): bigint {
  let sum = 0n;
  // In parts that a number holds exactly: a BigInt per value would take most of the time.
  let part = 0;
  for (const value of values) {
    if (value === null) continue;
    part += toWhole(value);
    if (Math.abs(part) < 2 ** 52) continue;
    sum += BigInt(part);
    part = 0;
  }
  return sum + BigInt(part);
}
