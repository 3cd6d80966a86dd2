// Runs of rows of several sources as one table, which becomes a row group.
//
// Numbers are copied run by run. Texts of each source are codes into a heap of its own: every text
// is looked up in the new heap once per source, however many rows have it.

import type {
  BoolColumn,
  Column,
  ColumnTable,
  Float64Column,
  Int64Column,
  Utf8Column,
} from "#lib/columnar/types.ts";
import { MergedTexts } from "./merged-texts.ts";
import type { SourceRows, TypedColumn } from "./source-rows.ts";
import type { Runs } from "./take-runs.ts";

/** Below this a loop is quicker than setting up a copy. */
const COPY_ROWS_MIN = 16;

/** Columns in `unique` are not searched for repeated texts. */
export function gatherRuns(
  columns: readonly TypedColumn[],
  sources: readonly SourceRows[],
  runs: Runs,
  unique: ReadonlySet<string>,
): ColumnTable {
  const { rowCount } = runs;
  const gathered = columns.map((column, i) => {
    const parts = sources.map((source) => source.columns[i]);
    return gatherColumn(column, parts, runs, !unique.has(column.name));
  });
  return { rowCount, columns: gathered };
}

/** `parts`: the column in each source. */
function gatherColumn(
  { name, type }: TypedColumn,
  parts: readonly (Column | null)[],
  runs: Runs,
  repeats: boolean,
): Column {
  const { rowCount } = runs;
  const common = { name, rowCount, validity: gatherValidity(parts, runs) };
  switch (type) {
    case "int64":
    case "timestamp": {
      const arrays = parts.map((part) => (part as Int64Column | null)?.words ?? null);
      return { ...common, type, words: gatherPairs(arrays, runs) };
    }
    case "float64": {
      const arrays = parts.map((part) => (part as Float64Column | null)?.values ?? null);
      return { ...common, type, values: gather(arrays, runs, new Float64Array(rowCount)) };
    }
    case "bool": {
      const arrays = parts.map((part) => (part as BoolColumn | null)?.values ?? null);
      return { ...common, type, values: gather(arrays, runs, new Uint8Array(rowCount)) };
    }
    case "utf8":
      return {
        ...common,
        type,
        ...gatherTexts(name, parts as (Utf8Column | null)[], runs, repeats),
      };
  }
}

/** null when no row is NULL for sure. */
function gatherValidity(parts: readonly (Column | null)[], runs: Runs): Uint8Array | null {
  const hasNulls = parts.some((part) => part === null || part.validity !== null);
  if (!hasNulls) return null;
  const target = new Uint8Array(runs.rowCount);
  let at = 0;
  for (let run = 0; run < runs.sources.length; run++) {
    const part = parts[runs.sources[run]];
    const from = runs.froms[run];
    const to = runs.tos[run];
    if (part !== null) {
      if (part.validity === null) target.fill(1, at, at + to - from);
      else copy(part.validity, from, to, target, at);
    }
    at += to - from;
  }
  return target;
}

type Values = Float64Array | Uint8Array;

function gather<T extends Values>(arrays: readonly (T | null)[], runs: Runs, target: T): T {
  let at = 0;
  for (let run = 0; run < runs.sources.length; run++) {
    const source = arrays[runs.sources[run]];
    const from = runs.froms[run];
    const to = runs.tos[run];
    if (source !== null) copy(source, from, to, target, at);
    at += to - from;
  }
  return target;
}

function gatherPairs(arrays: readonly (Int32Array | null)[], runs: Runs): Int32Array {
  const target = new Int32Array(2 * runs.rowCount);
  let at = 0;
  for (let run = 0; run < runs.sources.length; run++) {
    const source = arrays[runs.sources[run]];
    const from = 2 * runs.froms[run];
    const to = 2 * runs.tos[run];
    if (source !== null) copy(source, from, to, target, at);
    at += to - from;
  }
  return target;
}

function copy<T extends Values | Int32Array>(
  source: T,
  from: number,
  to: number,
  target: T,
  at: number,
): void {
  if (to - from >= COPY_ROWS_MIN) {
    target.set(source.subarray(from, to), at);
  } else {
    for (let i = from; i < to; i++) target[at + i - from] = source[i];
  }
}

function gatherTexts(
  name: string,
  parts: readonly (Utf8Column | null)[],
  runs: Runs,
  repeats: boolean,
): Pick<Utf8Column, "codes" | "heap"> {
  const merged = new MergedTexts(name, parts, runs.rowCount, repeats);
  for (let run = 0; run < runs.sources.length; run++) {
    merged.append(runs.sources[run], runs.froms[run], runs.tos[run]);
  }
  return merged.finish();
}
