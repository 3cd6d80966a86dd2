// A rollup's job, at its runner: chunk by chunk of slots it asks the query Worker for the rows, and
// puts them in the place of those that the destination has there (rollups.ts says why that is
// right).
//
// Files of the destination that reach into the chunk are merged with the new rows into new files,
// less their own rows in the chunk. What a crash leaves is objects that no catalog names.

import { isSluiceError } from "#lib/base/errors.ts";
import type { ErrorCode } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { describeFile } from "#lib/catalog/data-file.ts";
import { jobFileKey } from "#lib/catalog/object-keys.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import type { ScannedColumn } from "#lib/columnar/kinds.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { writeParquet } from "#lib/parquet/write-file.ts";
import type { MergeInput } from "#lib/rewrite/input-file.ts";
import { mergeFiles, type MergePorts } from "#lib/rewrite/merge-files.ts";
import { fillRollupQuery, timeText } from "./rollup-query.ts";
import { readCount, readRollupRows, scanColumns, withoutEmptyColumns } from "./rollup-rows.ts";
import type { TimeRange } from "./rollup-slots.ts";
import type { RollupChange, RollupChunk, StartedRollup } from "./rollup-types.ts";

/** Each call to the catalog throws `job_lost` or `job_cancelled` when the job is another's. */
export interface RollupPorts extends MergePorts {
  nextChunk(slotCountMax: number): Promise<RollupChunk | null>;
  extendSchema(columns: readonly ScannedColumn[]): Promise<TableSchema>;
  commit(change: RollupChange): Promise<void>;
  finish(): Promise<void>;
  /** `isFinal`: trying again would not help. */
  fail(code: ErrorCode, message: string, isFinal: boolean): Promise<void>;
  /**
   * Rows of the rollup's database as an Arrow stream. Throws what refuses a query, and
   * `query_too_large` for more than `LIMITS.rollupAnswerBytesMax`.
   */
  query(sql: string): Promise<Uint8Array>;
}

/** `lost`: the job is somebody else's, or was cancelled. */
export type RollupOutcome = "done" | "failed" | "lost";

/** Chunks that are computed again because files changed under them, before the job is put off. */
const CONFLICTS_MAX = 5;

/** Throws what is not a refusal; the job has failed then, too. */
export async function runRollup(
  started: StartedRollup,
  databaseId: number,
  ports: RollupPorts,
): Promise<RollupOutcome> {
  try {
    await computeChunks(started, databaseId, ports);
    await ports.finish();
    return "done";
  } catch (error) {
    const code = isSluiceError(error) ? error.code : "bug";
    if (code === "job_lost" || code === "job_cancelled") return "lost";
    const message = error instanceof Error ? error.message : String(error);
    await ports.fail(code, message, FINAL.has(code));
    if (code === "bug") throw error;
    return "failed";
  }
}

/** The rollup is to be changed, or what it reads. Its timer tries again all the same. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  "rollup_result_invalid",
  "column_name_invalid",
  "column_type_conflict",
  "schema_too_wide",
  "measurement_unknown",
  "permission_denied",
  "sql_invalid",
  "sql_not_allowed",
  "query_failed",
  "query_unsupported",
  "query_too_large",
]);

async function computeChunks(
  started: StartedRollup,
  databaseId: number,
  ports: RollupPorts,
): Promise<void> {
  let fileNumber = 0;
  let conflicts = 0;
  let slotCountMax: number = LIMITS.rollupSlotsMax;
  const nameFile = (tableId: number, day: string): string =>
    jobFileKey({ databaseId, tableId, day, ...started, fileNumber: fileNumber++ });
  for (;;) {
    const chunk = await ports.nextChunk(slotCountMax);
    if (chunk === null) return;
    try {
      await ports.commit(await computeChunk(started, chunk, nameFile, ports));
    } catch (error) {
      const code = isSluiceError(error) ? error.code : "bug";
      const isTooMuch = TOO_MUCH.has(code) && chunk.slotCount > 1;
      if (isTooMuch) slotCountMax = Math.floor(chunk.slotCount / 2);
      else if (code !== "files_changed" || ++conflicts > CONFLICTS_MAX) throw error;
    }
  }
}

/** Of fewer slots at once the same rows may be had. */
const TOO_MUCH: ReadonlySet<ErrorCode> = new Set([
  "query_too_large",
  "query_out_of_memory",
  "query_timeout",
]);

async function computeChunk(
  { rollup, jobId, version }: StartedRollup,
  chunk: RollupChunk,
  nameFile: (tableId: number, day: string) => string,
  ports: RollupPorts,
): Promise<RollupChange> {
  const { range, files } = chunk;
  const rowsRead = await countRows(rollup.source, range, ports);
  const answer = await ports.query(fillRollupQuery(rollup.query, range));
  const rows = readRollupRows(answer, range);
  const rowsWritten = rows.rowCount;
  if (rowsWritten + files.length === 0) {
    return { version, chunk, adds: [], rowsRead, rowsWritten };
  }
  const schema = await ports.extendSchema(rowsWritten === 0 ? [] : scanColumns(rows));
  const kept = files.flatMap((file) => outside(file, range));
  const fresh = rowsWritten === 0 ? null : freshFile(rows, schema);
  const adds = await mergeFiles(
    {
      inputs: fresh === null ? kept : [fresh.input, ...kept],
      schema,
      jobId: `${jobId}`,
      keyOf: (day) => nameFile(schema.tableId, day),
    },
    { ...ports, fetchRange: fresh === null ? ports.fetchRange : fresh.fetchRange(ports) },
  );
  return { version, chunk, adds, rowsRead, rowsWritten };
}

async function countRows(source: string, range: TimeRange, ports: RollupPorts): Promise<number> {
  const [from, to] = [timeText(range.fromMs), timeText(range.toMs)];
  const table = `"${source.replaceAll('"', '""')}"`;
  const sql = `SELECT count(*) FROM ${table} WHERE time >= '${from}' AND time < '${to}'`;
  return readCount(await ports.query(sql));
}

/** The file's rows before the range, and those behind it. */
function outside(file: Omit<DataFile, "columns">, { fromMs, toMs }: TimeRange): MergeInput[] {
  const dropped = null;
  const [fromUs, toUs] = [BigInt(fromMs) * 1_000n, BigInt(toMs) * 1_000n];
  const before = { file, filter: { dropped, fromUs: null, toUs: fromUs } };
  const behind = { file, filter: { dropped, fromUs: toUs, toUs: null } };
  const sides: MergeInput[] = [];
  if (file.timeMinMs < fromMs) sides.push(before);
  if (file.timeMaxMs >= toMs) sides.push(behind);
  return sides;
}

/** The new rows as one more input of the merge, which lies in memory. */
function freshFile(rows: ColumnTable, { tableId }: TableSchema) {
  const key = "rows of the rollup";
  const table = withoutEmptyColumns(rows);
  const { bytes, ...summary } = writeParquet(table, 0, table.rowCount, { keyValues: {} });
  const file = describeFile({ key, tableId, day: "", sha256: "" }, summary);
  const fetchRange = (lake: MergePorts): MergePorts["fetchRange"] => {
    return async (name, offset, byteLength) =>
      name === key
        ? bytes.subarray(offset, offset + byteLength)
        : lake.fetchRange(name, offset, byteLength);
  };
  return { input: { file, filter: null }, fetchRange };
}
