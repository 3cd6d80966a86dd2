// Files that have older and younger rows lose the older ones: the job of a retention policy that
// says so, at its runner. Which files: retention.ts.

import { assert } from "#lib/base/assert.ts";
import { jobFileKey } from "#lib/catalog/object-keys.ts";
import { mergeFiles, type MergePorts } from "#lib/rewrite/merge-files.ts";
import type { JobLine } from "./job-line.ts";
import type { StartedJob } from "./types.ts";

/** Gives way when its files are not what they were. */
export async function runRetention(
  { job, schema, files }: StartedJob,
  databaseId: number,
  line: JobLine,
  ports: MergePorts,
): Promise<void> {
  const { jobId, attempt, spec } = job;
  assert(spec.kind === "retention", `job ${jobId} is not of a retention policy`);
  const fromUs = BigInt(spec.keepFromMs) * 1_000n;
  const { tableId } = schema;
  const adds = await mergeFiles(
    {
      inputs: files.map((file) => ({ file, filter: { dropped: null, fromUs, toUs: null } })),
      schema,
      jobId: `${jobId}`,
      keyOf: (day, fileNumber) =>
        jobFileKey({ databaseId, tableId, day, jobId, attempt, fileNumber }),
    },
    ports,
  );
  const rowsBefore = files.reduce((sum, { rowCount }) => sum + rowCount, 0);
  const rowsAfter = adds.reduce((sum, { rowCount }) => sum + rowCount, 0);
  const result = {
    rows: rowsBefore - rowsAfter,
    files_affected: files.length,
    files_written: adds.length,
  };
  await line.finish({ removes: files.map(({ fileId }) => fileId), adds, changed: [] }, result);
}
