// What the job of a delete needs beside the lake: files from the catalog, and the query Worker's
// judgement of their rows.

import type { Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { SearchedTable } from "#lib/catalog/types.ts";
import type { MergePorts } from "#lib/rewrite/merge-files.ts";
import type { DeletePorts } from "#lib/upkeep/delete.ts";
import type { JobLine } from "#lib/upkeep/job-line.ts";
import type { JobTicket } from "#lib/upkeep/jobs.ts";
import type { DeleteSpec, Job } from "#lib/upkeep/types.ts";
import { unwrap } from "./rpc.ts";

interface SearchedFilesOwner {
  searchedFiles(ticket: JobTicket): Promise<SearchedTable | Refusal>;
}

export function deletePorts(
  { jobId, attempt }: Job,
  { where, nowMs }: DeleteSpec,
  catalog: SearchedFilesOwner,
  query: CompactorEnv["QUERY"],
  line: JobLine,
  lake: MergePorts,
): DeletePorts {
  return {
    ...lake,
    searchedFiles: () => unwrap(catalog.searchedFiles({ jobId, attempt })),
    async matchRows(schema, file) {
      const answer = unwrap(query.matchRows({ schema, where, nowMs }, file));
      return await whileAlive(line, answer);
    },
  };
}

/** A file may take the engine longer than the catalog waits for a sign of life. */
async function whileAlive<T>(line: JobLine, work: Promise<T>): Promise<T> {
  // A job that is lost or cancelled is told of by the next call that waits for its answer.
  const beat = () => void line.noteProgress({}).catch(() => {});
  const timer = setInterval(beat, LIMITS.jobProgressEveryMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
