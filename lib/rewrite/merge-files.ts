// Many files of a table into few: sorted by time, under the schema of today, less the rows that go.
// Compaction, retention and delete all rewrite files by this.
//
// Files of any number and size go through an isolate because only what overlaps in time is held:
// row groups are loaded in order of their first row, and what comes before the first row of all
// that is still to load is written and let go. How much that is at most is known beforehand
// (merge-memory.ts); whoever plans a rewrite sees to it that it fits.
//
// The merge is stable: rows of the same µs keep the order of the inputs and their order in them.
//
// Refuses (`file_corrupt`) inputs that are damaged. When it throws, the file at hand is given up;
// those finished before stay in the lake as orphans. Nothing is committed here.

import { LIMITS } from "#lib/base/limits.ts";
import type { FetchRange, ObjectStore } from "#lib/base/ports.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { releaseColumns } from "#lib/columnar/release.ts";
import { compareTimes, firstNotBefore } from "#lib/columnar/times.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { uniqueTexts } from "#lib/columnar/unique-texts.ts";
import { ENCODER_VERSION } from "#lib/parquet/write-file.ts";
import { gatherRuns } from "./gather-runs.ts";
import { InputFile, type MergeInput } from "./input-file.ts";
import { rowBytesOf, rowGroupCount } from "./merge-memory.ts";
import { OutputFiles } from "./output-files.ts";
import { type SourceRows, type TypedColumn, typedColumns } from "./source-rows.ts";
import { takeRuns } from "./take-runs.ts";

export interface MergeRequest {
  /** All of one table. Where times are equal, rows of earlier inputs come first. */
  readonly inputs: readonly MergeInput[];
  /** As it is now: at least what the files were written under. */
  readonly schema: TableSchema;
  /** For the footers: which job wrote the files. */
  readonly jobId: string;
  /** A key that no object has had, by the UTC day of the first row and the number of the file. */
  keyOf(day: string, fileNumber: number): string;
}

export interface MergePorts {
  readonly fetchRange: FetchRange;
  readonly lake: Pick<ObjectStore, "createInParts">;
}

/** Requests for inputs at once; the others are for the parts of the output. */
const FETCHES_MAX = LIMITS.connectionsMax - 2;

/** The files that hold what is left of the inputs' rows; none where no row is left. */
export async function mergeFiles(request: MergeRequest, ports: MergePorts): Promise<DataFile[]> {
  const { schema, inputs, jobId } = request;
  const columns = typedColumns(schema.columns);
  const keyValues = {
    "sluice.encoder_version": ENCODER_VERSION,
    "sluice.measurement": schema.measurement,
    "sluice.job_id": jobId,
  };
  const names = { tableId: schema.tableId, keyOf: request.keyOf, keyValues };
  const output = new OutputFiles(names, columns, ports.lake, fileBytesOf(inputs));
  try {
    for await (const rowGroup of mergedRowGroups(inputs, columns, ports.fetchRange)) {
      await output.add(rowGroup);
    }
    return await output.finish();
  } catch (error) {
    // A store that does not answer drops unfinished uploads by itself; what failed first counts.
    await output.abort().catch(() => {});
    throw error;
  }
}

/** So that files come out alike, with no small rest: near the target, never above the maximum. */
function fileBytesOf(inputs: readonly MergeInput[]): number {
  const byteLength = inputs.reduce((sum, { file }) => sum + file.byteLength, 0);
  const fileCount = Math.max(1, Math.round(byteLength / LIMITS.rewriteFileBytesTarget));
  // A file ends with the row group that fills it: half a row group too late on average.
  const rowCount = inputs.reduce((sum, { file }) => sum + file.rowCount, 0);
  const groupBytes = byteLength / Math.max(1, rowCount / LIMITS.rowGroupRows);
  if (fileCount === 1) return LIMITS.rewriteFileBytesMax - 2 * groupBytes;
  return byteLength / fileCount - groupBytes / 2;
}

/** Each is gone once the next is asked for. */
async function* mergedRowGroups(
  inputs: readonly MergeInput[],
  columns: readonly TypedColumn[],
  fetchRange: FetchRange,
): AsyncGenerator<ColumnTable> {
  const rowsMax = rowGroupRowsOf(inputs, columns);
  const bytesMax = LIMITS.rewriteRowGroupBytes;
  let pending = inputs.map((input, i) => new InputFile(i, input, columns, fetchRange));
  let loaded: SourceRows[] = [];
  let unique: ReadonlySet<string> = new Set();
  for (;;) {
    pending = await loadRowGroup(pending, loaded, rowsMax);
    const before = pending.length === 0 ? null : pending[0].nextTime;
    const runs = takeRuns(loaded, { before, rowsMax, bytesMax });
    if (runs.rowCount === 0) return;
    const table = gatherRuns(columns, loaded, runs, unique);
    unique = uniqueTexts(table);
    loaded = withoutWritten(loaded);
    yield table;
    releaseColumns(table.columns);
  }
}

/** Row groups of equal size, near the usual one; smaller ones where rows are wide. */
function rowGroupRowsOf(inputs: readonly MergeInput[], columns: readonly TypedColumn[]): number {
  const rowCount = inputs.reduce((sum, { file }) => sum + file.rowCount, 0);
  const groupRows = Math.min(
    LIMITS.rowGroupRows,
    Math.ceil(LIMITS.rewriteRowGroupBytes / rowBytesOf(columns)),
  );
  return Math.ceil(rowCount / rowGroupCount(rowCount, groupRows));
}

/**
 * Loads until a row group can be written of rows that come before all that is still to load.
 * Returns the inputs that have more, by the time of their next row.
 */
async function loadRowGroup(
  pending: readonly InputFile[],
  loaded: SourceRows[],
  rowsMax: number,
): Promise<InputFile[]> {
  for (;;) {
    const rest = pending.filter(({ isAtEnd }) => !isAtEnd).sort(byNextTime);
    if (rest.length === 0 || isEnough(loaded, rest[0].nextTime, rowsMax)) return rest;
    prefetch(rest);
    const rows = await rest[0].advance();
    if (rows !== null && rows.from < rows.to) insert(loaded, rows);
    pending = rest;
  }
}

function byNextTime(a: InputFile, b: InputFile): number {
  return compareTimes(a.nextTime, 0, b.nextTime, 0) || a.number - b.number;
}

/** True when the rows before `bound` are a row group, by their number or by their bytes. */
function isEnough(loaded: readonly SourceRows[], bound: Int32Array, rowsMax: number): boolean {
  let rowCount = 0;
  let byteLength = 0;
  for (const { times, from, to, rowBytes } of loaded) {
    const before = firstNotBefore(times, from, to, bound) - from;
    rowCount += before;
    byteLength += before * rowBytes;
  }
  return rowCount >= rowsMax || byteLength >= LIMITS.rewriteRowGroupBytes;
}

function withoutWritten(loaded: readonly SourceRows[]): SourceRows[] {
  return loaded.filter(({ from, to, columns }) => {
    if (from === to) releaseColumns(columns);
    return from < to;
  });
}

function prefetch(pending: readonly InputFile[]): void {
  let byteLength = 0;
  for (const input of pending.slice(0, FETCHES_MAX)) {
    byteLength += input.prefetch();
    if (byteLength >= LIMITS.rewriteReadAheadBytesMax) return;
  }
}

/** In the order of the inputs; row groups of one input come in theirs. */
function insert(loaded: SourceRows[], rows: SourceRows): void {
  const behind = loaded.findIndex(({ input }) => input > rows.input);
  loaded.splice(behind === -1 ? loaded.length : behind, 0, rows);
}
