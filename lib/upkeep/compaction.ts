// Which files are to become fewer, and making them so.
//
// The plan (lib/rewrite/plan-compaction.ts) becomes jobs for the compactor. Files that a job has
// already, or failed over, are left alone, and so are tables in which rows are being deleted: that
// job rewrites the same files.

import { assert } from "#lib/base/assert.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { CatalogCore } from "#lib/catalog/catalog.ts";
import { jobFileKey } from "#lib/catalog/object-keys.ts";
import type { LiveFile } from "#lib/catalog/types.ts";
import { mergeFiles, type MergePorts } from "#lib/rewrite/merge-files.ts";
import { planCompaction } from "#lib/rewrite/plan-compaction.ts";
import type { JobLine } from "./job-line.ts";
import type { Jobs } from "./jobs.ts";
import type { StartedJob } from "./types.ts";

export interface CompactionPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
}

/** Files of one measurement and day that are to be merged. */
export interface Candidate {
  readonly tableId: number;
  readonly measurement: string;
  readonly day: string;
  readonly files: readonly LiveFile[];
}

/** Makes jobs of all candidates. */
export function createCompactions(ports: CompactionPorts, catalog: CatalogCore, jobs: Jobs) {
  const nowMs = ports.clock.nowMs();
  const candidates = findCandidates(catalog, jobs, nowMs);
  ports.store.transact(() => {
    for (const { tableId, day, files } of candidates) {
      const fileIds = files.map(({ fileId }) => fileId);
      jobs.create({ kind: "compaction", tableId, day }, fileIds);
    }
  });
  return { nextMs: nowMs + LIMITS.compactionEveryMs, result: { jobs: candidates.length } };
}

export function findCandidates(catalog: CatalogCore, jobs: Jobs, nowMs: number): Candidate[] {
  const claimed = jobs.claimedFileIds();
  const others = jobs.active().filter(({ spec }) => spec.kind !== "compaction");
  const busyTables = new Set(others.map(({ spec }) => spec.tableId));
  const days = catalog.days(LIMITS.rewriteFileBytesMin).filter(({ tableId, fileCount }) => {
    return fileCount > 1 && !busyTables.has(tableId);
  });
  return days.flatMap(({ tableId, measurement, day }) => {
    const files = catalog.liveFiles(tableId, day).filter(({ fileId }) => !claimed.has(fileId));
    const { columns } = catalog.schemas([tableId])[0]!;
    const groups = planCompaction(files, columns, nowMs);
    return groups.map((group) => ({ tableId, measurement, day, files: group }));
  });
}

/** The job itself, at its runner. Gives way when its files are not what they were. */
export async function runCompaction(
  { job, schema, files }: StartedJob,
  databaseId: number,
  line: JobLine,
  ports: MergePorts,
): Promise<void> {
  const { jobId, attempt } = job;
  const adds = await mergeFiles(
    {
      inputs: files.map((file) => ({ file, filter: null })),
      schema,
      jobId: `${jobId}`,
      keyOf: (day, fileNumber) =>
        jobFileKey({ databaseId, tableId: schema.tableId, day, jobId, attempt, fileNumber }),
    },
    ports,
  );
  const rowsRead = sumOf(files, "rowCount");
  assert(sumOf(adds, "rowCount") === rowsRead, "a merge keeps the number of rows");
  const result = {
    rows: rowsRead,
    files_read: files.length,
    files_written: adds.length,
    bytes_read: sumOf(files, "byteLength"),
    bytes_written: sumOf(adds, "byteLength"),
  };
  await line.finish({ removes: files.map(({ fileId }) => fileId), adds, changed: [] }, result);
}

function sumOf<Key extends string>(items: readonly Readonly<Record<Key, number>>[], key: Key) {
  return items.reduce((sum, item) => sum + item[key], 0);
}
