// A runner's line to the object that has its job: what it reports, and how it ends.

import { isSluiceError } from "#lib/base/errors.ts";
import type { ErrorCode } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, FetchRange, ObjectStore } from "#lib/base/ports.ts";
import type { FileChange } from "#lib/catalog/types.ts";
import type { MergePorts } from "#lib/rewrite/merge-files.ts";
import type { JobNumbers, JobStep } from "./types.ts";

/** Every call throws `job_lost` or `job_cancelled` when the job is not the runner's any more. */
export interface JobLine {
  noteProgress(progress: JobNumbers): Promise<void>;
  noteStep(step: JobStep): Promise<void>;
  /** The change and the job's end, in one transaction. Throws `files_changed`; then neither is. */
  finish(change: FileChange | null, result: JobNumbers): Promise<void>;
  /** Ends the job without a change: somebody else was faster. */
  giveWay(): Promise<void>;
  /** `isFinal`: trying again would not help. */
  fail(code: ErrorCode, message: string, isFinal: boolean): Promise<void>;
}

/** How a job ended here. `lost`: it is somebody else's, or was cancelled. */
export type JobOutcome = "done" | "gave_way" | "lost" | "failed";

/**
 * Runs `work`; whatever it throws becomes the job's end or its next try. Throws what is not ours.
 */
export async function settleJob(line: JobLine, work: () => Promise<void>): Promise<JobOutcome> {
  try {
    await work();
    return "done";
  } catch (error) {
    const code = isSluiceError(error) ? error.code : "bug";
    if (code === "job_lost" || code === "job_cancelled") return "lost";
    if (code === "files_changed") {
      await line.giveWay();
      return "gave_way";
    }
    const message = error instanceof Error ? error.message : String(error);
    await line.fail(code, message, FINAL.has(code));
    throw error;
  }
}

/** Refusals of the job itself. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "file_corrupt",
  "sql_invalid",
  "sql_not_allowed",
  "query_failed",
  "query_unsupported",
  "query_out_of_memory",
  "delete_unconfirmed",
]);

/** The same line; what is told of the progress in parts is told together. */
export function joinedProgress(line: JobLine): JobLine {
  let all: JobNumbers = {};
  return {
    ...line,
    noteProgress(progress) {
      all = { ...all, ...progress };
      return line.noteProgress(all);
    },
  };
}

/** The same ports, which tell the line how far they are, and so that the runner lives. */
export function reportingPorts(
  ports: { readonly fetchRange: FetchRange; readonly lake: Pick<ObjectStore, "createInParts"> },
  line: Pick<JobLine, "noteProgress">,
  clock: Clock,
): MergePorts {
  const progress = { bytes_read: 0, bytes_written: 0 };
  let reportedMs = clock.nowMs();
  const report = async () => {
    const nowMs = clock.nowMs();
    if (nowMs - reportedMs < LIMITS.jobProgressEveryMs) return;
    reportedMs = nowMs;
    await line.noteProgress({ ...progress });
  };
  return {
    async fetchRange(key, offset, byteLength) {
      await report();
      const bytes = await ports.fetchRange(key, offset, byteLength);
      progress.bytes_read += byteLength;
      return bytes;
    },
    lake: {
      createInParts(key) {
        const writer = ports.lake.createInParts(key);
        return {
          async write(bytes) {
            await report();
            await writer.write(bytes);
            progress.bytes_written += bytes.byteLength;
          },
          finish: () => writer.finish(),
          abort: () => writer.abort(),
        };
      },
    },
  };
}
