// The runners of the simulated lake: what the compactor and the rollup-runner do with a hint.

import { isSluiceError } from "#lib/base/errors.ts";
import type { Clock, FetchRange, ObjectStore } from "#lib/base/ports.ts";
import { runCompaction } from "#lib/upkeep/compaction.ts";
import { runDelete } from "#lib/upkeep/delete.ts";
import { type JobLine, reportingPorts, settleJob } from "#lib/upkeep/job-line.ts";
import { runRetention } from "#lib/upkeep/retention-rewrite.ts";
import { type RollupPorts, runRollup } from "#lib/upkeep/rollup-run.ts";
import type { StartedRollup } from "#lib/upkeep/rollup-types.ts";
import type { JobHint, StartedJob } from "#lib/upkeep/types.ts";
import type { Upkeep } from "#lib/upkeep/upkeep.ts";
import type { MemoryLake } from "../helpers/memory-world.ts";
import { fetchRangeOf } from "../helpers/stored-files.ts";
import {
  countStream,
  type EventRow,
  hoursOf,
  hoursStream,
  type LakeReader,
} from "./lake-tables.ts";

export interface RunnerPorts {
  /** Of the process that the runner began in. */
  readonly upkeep: Upkeep;
  readonly clock: Clock;
  readonly lake: MemoryLake;
  readonly reader: LakeReader;
  /** The rows of one version. */
  events(): EventRow[];
  /** Everything that a runner asks of others. */
  call<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export type Outcome = "done" | "gave_way" | "lost" | "failed";

/** null: there was nothing to start. Throws what is a bug. */
export async function runHint(
  { jobId, kind }: Pick<JobHint, "jobId" | "kind">,
  ports: RunnerPorts,
): Promise<Outcome | null> {
  const { upkeep } = ports;
  try {
    if (kind === "rollup") {
      const started = upkeep.rollups.start(jobId);
      return started && (await runRollup(started, 1, rollupPorts(started, ports)));
    }
    const started = upkeep.startJob(jobId);
    if (started === null) return null;
    const line = lineOf(started, ports);
    return await settleJob(line, () => runJob(started, line, ports));
  } catch (error) {
    if (!isSluiceError(error) || error.code === "bug") throw error;
    return "failed";
  }
}

function runJob(started: StartedJob, line: JobLine, ports: RunnerPorts): Promise<void> {
  const { upkeep, reader, call, clock } = ports;
  const merge = reportingPorts(lakeOf(ports), line, clock);
  const { job } = started;
  switch (job.spec.kind) {
    case "compaction":
      return runCompaction(started, 1, line, merge);
    case "retention":
      return runRetention(started, 1, line, merge);
    case "delete": {
      const ids = new Set(job.spec.where.split(",").map(Number));
      return runDelete(started, 1, line, {
        ...merge,
        searchedFiles: () => call("look", async () => upkeep.searchedFiles(job)),
        matchRows: (_, { key }) =>
          call("match", async () => bitsOf(reader.events(key), ({ id }) => ids.has(id))),
      });
    }
    case "rollup":
      throw new Error("a rollup is not run here");
  }
}

function lineOf({ job }: StartedJob, { upkeep, call }: RunnerPorts): JobLine {
  const { jobs } = upkeep;
  return {
    noteProgress: (progress) => call("progress", async () => jobs.noteProgress(job, progress)),
    noteStep: (step) => call("step", async () => jobs.noteStep(job, step)),
    finish: (change, result) =>
      call("commit", async () => void upkeep.finishJob(job, change, result)),
    giveWay: () => call("give way", async () => jobs.giveWay(job)),
    fail: (code, message, isFinal) =>
      call("fail", async () => jobs.fail(job, code, message, isFinal)),
  };
}

function rollupPorts(ticket: StartedRollup, ports: RunnerPorts): RollupPorts {
  const { upkeep, events, call } = ports;
  const { rollups, jobs } = upkeep;
  return {
    ...lakeOf(ports),
    nextChunk: (slotCountMax) =>
      call("chunk", async () => rollups.nextChunk(ticket, ticket.version, slotCountMax)),
    extendSchema: (columns) => call("schema", async () => rollups.extendSchema(ticket, columns)),
    commit: (change) => call("commit", async () => upkeep.commitRollup(ticket, change)),
    finish: () => call("finish", async () => rollups.finish(ticket)),
    fail: (code, message, isFinal) =>
      call("fail", async () => jobs.fail(ticket, code, message, isFinal)),
    query: (sql) => call("query", async () => answer(sql, events())),
  };
}

/** Of the two queries that a rollup asks here, both over a stretch of time. */
function answer(sql: string, events: readonly EventRow[]): Uint8Array {
  const [fromMs, toMs] = [...sql.matchAll(/'([^']*)'/g)].map(([, text]) => Date.parse(text!));
  const rows = events.filter(({ timeMs }) => timeMs >= fromMs! && timeMs < toMs!);
  return sql.includes("count(*)") ? countStream(rows.length) : hoursStream(hoursOf(rows));
}

function lakeOf({ lake, call }: RunnerPorts) {
  const fetch = fetchRangeOf(lake);
  const fetchRange: FetchRange = (...range) => call("fetch", () => fetch(...range));
  const parts: Pick<ObjectStore, "createInParts"> = {
    createInParts: (key) => {
      const writer = lake.createInParts(key);
      return {
        write: (bytes) => call("part", () => writer.write(bytes)),
        finish: () => call("put", () => writer.finish()),
        abort: () => writer.abort(),
      };
    },
  };
  return { fetchRange, lake: parts };
}

function bitsOf(rows: readonly EventRow[], isMeant: (row: EventRow) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows.length / 8));
  for (const [at, row] of rows.entries()) if (isMeant(row)) bits[at >>> 3]! |= 1 << (at & 7);
  return bits;
}
