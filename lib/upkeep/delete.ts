// Rows that meet a condition leave a table: the job of a delete, at its runner.
//
// File by file it is asked which rows meet the condition; a file that has some is written again
// without them. All of that is a preparation that nobody sees, and that a crash does not undo: each
// file that is done is noted as a step. Then all files change in one transaction.
//
// Whatever moves rows meanwhile (a merge, retention, another delete) replaces the files they were
// in, so the transaction is refused, and what is live then is looked through again, except for what
// has a step already. Rows that came after the delete was asked for may go or stay.

import { assert } from "#lib/base/assert.ts";
import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { jobFileKey } from "#lib/catalog/object-keys.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { FileChange, SearchedFile, SearchedTable, TimeSpanMs } from "#lib/catalog/types.ts";
import { mergeFiles, type MergePorts } from "#lib/rewrite/merge-files.ts";
import type { JobLine } from "./job-line.ts";
import type { DeleteSpec, Job, JobNumbers, JobStep, StartedJob } from "./types.ts";

export interface DeletePorts extends MergePorts {
  /** What is live now and may have such rows. Throws as JobLine; `files_changed` when dropped. */
  searchedFiles(): Promise<SearchedTable>;
  /** One bit per row of the file, least significant first, 1 where the condition is true. */
  matchRows(schema: TableSchema, file: SearchedFile): Promise<Uint8Array>;
}

/** Throws `delete_unconfirmed` with the number of rows, and what is wrong with the condition. */
export async function runDelete(
  { job, steps }: StartedJob,
  databaseId: number,
  line: JobLine,
  ports: DeletePorts,
): Promise<void> {
  const { spec } = job;
  assert(spec.kind === "delete", `job ${job.jobId} is no delete`);
  if (spec.isDryRun || !spec.isConfirmed) {
    const { schema, files } = await ports.searchedFiles();
    const counts = await countRows(schema, files, line, ports);
    refuseUnconfirmed(spec, counts["rows"]!);
    if (spec.isDryRun) return line.finish(null, { ...counts, files_written: 0 });
  }
  await new Deletion(job, spec, databaseId, steps, line, ports).run();
}

async function countRows(
  schema: TableSchema,
  files: readonly SearchedFile[],
  line: JobLine,
  ports: DeletePorts,
): Promise<JobNumbers> {
  let [rows, affected] = [0, 0];
  for (const [at, file] of files.entries()) {
    const count = countBits(await ports.matchRows(schema, file));
    rows += count;
    affected += count > 0 ? 1 : 0;
    await line.noteProgress({ files: files.length, files_searched: at + 1, rows });
  }
  return { rows, files_affected: affected };
}

function refuseUnconfirmed({ isConfirmed, isDryRun }: DeleteSpec, rows: number): void {
  const limit = LIMITS.deleteUnconfirmedRowsMax;
  if (isConfirmed || isDryRun || rows <= limit) return;
  const message = `Delete would affect ${rows} rows (threshold: ${limit}). Set confirm=true to proceed.`;
  throw new SluiceError("delete_unconfirmed", message, { rows, limit });
}

class Deletion {
  readonly #job: Job;
  readonly #spec: DeleteSpec;
  readonly #databaseId: number;
  readonly #line: JobLine;
  readonly #ports: DeletePorts;
  readonly #steps: Map<number, JobStep>;
  #fileNumber = 0;

  constructor(
    job: Job,
    spec: DeleteSpec,
    databaseId: number,
    steps: readonly JobStep[],
    line: JobLine,
    ports: DeletePorts,
  ) {
    this.#job = job;
    this.#spec = spec;
    this.#databaseId = databaseId;
    this.#line = line;
    this.#ports = ports;
    this.#steps = new Map(steps.map((step) => [step.fileId, step]));
  }

  async run(): Promise<void> {
    for (let plans = 1; ; plans++) {
      const { schema, files } = await this.#ports.searchedFiles();
      for (const [at, file] of files.entries()) {
        if (!this.#steps.has(file.fileId)) await this.#rewrite(schema, file);
        await this.#line.noteProgress({ files: files.length, files_searched: at + 1 });
      }
      try {
        return await this.#finish(schema.tableId, files);
      } catch (error) {
        const code = isSluiceError(error) ? error.code : "bug";
        // The job lay still for so long that what it had written was removed with the orphans.
        if (code === "object_tombstoned") this.#steps.clear();
        else if (code !== "files_changed") throw error;
        if (plans === LIMITS.deletePlansMax) throw error;
      }
    }
  }

  async #rewrite(schema: TableSchema, file: SearchedFile): Promise<void> {
    const { jobId, attempt } = this.#job;
    const databaseId = this.#databaseId;
    const { tableId } = schema;
    const dropped = await this.#ports.matchRows(schema, file);
    const rowsRemoved = countBits(dropped);
    const nextKey = (day: string): string =>
      jobFileKey({ databaseId, tableId, day, jobId, attempt, fileNumber: this.#fileNumber++ });
    const inputs = [{ file, filter: { dropped, fromUs: null, toUs: null } }];
    const adds =
      rowsRemoved === 0 || rowsRemoved === file.rowCount
        ? []
        : await mergeFiles({ inputs, schema, jobId: `${jobId}`, keyOf: nextKey }, this.#ports);
    const rowsLeft = adds.reduce((sum, { rowCount }) => sum + rowCount, 0);
    const isAsCounted = rowsRemoved === 0 || rowsLeft === file.rowCount - rowsRemoved;
    assert(isAsCounted, `${rowsLeft} rows are left of ${file.key}`);
    const step = { fileId: file.fileId, rowsRemoved, adds };
    await this.#line.noteStep(step);
    this.#steps.set(file.fileId, step);
  }

  /** Steps of files that are live no more count for nothing; their outputs are orphans. */
  async #finish(tableId: number, files: readonly SearchedFile[]): Promise<void> {
    const isAffected = ({ fileId }: SearchedFile) => this.#steps.get(fileId)!.rowsRemoved > 0;
    const affected = files.filter(isAffected);
    const steps = affected.map(({ fileId }) => this.#steps.get(fileId)!);
    const rows = steps.reduce((sum, { rowsRemoved }) => sum + rowsRemoved, 0);
    refuseUnconfirmed(this.#spec, rows);
    const change: FileChange = {
      removes: affected.map(({ fileId }) => fileId),
      adds: steps.flatMap(({ adds }) => adds),
      changed: unionOf(affected).map((span) => ({ tableId, ...span })),
    };
    const written = steps.filter(({ adds }) => adds.length > 0).length;
    const result = { rows, files_affected: affected.length, files_written: written };
    await this.#line.finish(affected.length === 0 ? null : change, result);
  }
}

/** Spans that meet become one. `files` are in order of time. */
function unionOf(files: readonly TimeSpanMs[]): TimeSpanMs[] {
  const spans: { timeMinMs: number; timeMaxMs: number }[] = [];
  for (const { timeMinMs, timeMaxMs } of files) {
    const last = spans.at(-1);
    if (last !== undefined && timeMinMs <= last.timeMaxMs) {
      last.timeMaxMs = Math.max(last.timeMaxMs, timeMaxMs);
    } else {
      spans.push({ timeMinMs, timeMaxMs });
    }
  }
  return spans;
}

function countBits(bits: Uint8Array): number {
  let count = 0;
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}
