// A runner's line to its job, over RPC to the database's catalog.

import type { ErrorCode, Refusal } from "#lib/base/errors.ts";
import type { FileChange } from "#lib/catalog/types.ts";
import type { JobLine } from "#lib/upkeep/job-line.ts";
import type { JobTicket } from "#lib/upkeep/jobs.ts";
import type { JobNumbers, JobStep } from "#lib/upkeep/types.ts";
import { unwrap } from "./rpc.ts";

/** What of the catalog it calls. */
interface JobOwner {
  noteJobProgress(ticket: JobTicket, progress: JobNumbers): Promise<Refusal | null>;
  noteJobStep(ticket: JobTicket, step: JobStep): Promise<Refusal | null>;
  finishJob(
    ticket: JobTicket,
    change: FileChange | null,
    result: JobNumbers,
  ): Promise<Refusal | null>;
  giveWay(ticket: JobTicket): Promise<Refusal | null>;
  failJob(
    ticket: JobTicket,
    code: ErrorCode,
    message: string,
    isFinal: boolean,
  ): Promise<Refusal | null>;
}

export function jobLine(owner: JobOwner, { jobId, attempt }: JobTicket): JobLine {
  const ticket = { jobId, attempt };
  return {
    noteProgress: async (progress) => void (await unwrap(owner.noteJobProgress(ticket, progress))),
    noteStep: async (step) => void (await unwrap(owner.noteJobStep(ticket, step))),
    finish: async (change, result) => void (await unwrap(owner.finishJob(ticket, change, result))),
    giveWay: async () => void (await unwrap(owner.giveWay(ticket))),
    fail: async (code, message, isFinal) =>
      void (await unwrap(owner.failJob(ticket, code, message, isFinal))),
  };
}
