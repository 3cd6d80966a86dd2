// A database with rollups, real from the catalog over the engine to the Parquet bytes: the runner's
// code over the query Worker's code. Only the Durable Objects, the queue and R2 are missing.

import { type ErrorCode, isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { FetchRange } from "#lib/base/ports.ts";
import { type RollupOutcome, type RollupPorts, runRollup } from "#lib/upkeep/rollup-run.ts";
import type { Rollup, RollupFields, StartedRollup } from "#lib/upkeep/rollup-types.ts";
import type { Job, JobHint } from "#lib/upkeep/types.ts";
import { Upkeep } from "#lib/upkeep/upkeep.ts";
import { engineModules } from "./duckdb-wasm.ts";
import { ManualAlarm } from "./memory-world.ts";
import { type QueryDatabase, QueryWorld, resultOptions, sqlQuestion } from "./query-world.ts";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/**
 * What a runner meets: its calls by number, from 1. It may throw before or after the call's work.
 */
export type Fault = (call: number, name: string, work: () => Promise<unknown>) => Promise<unknown>;

export class RollupWorld {
  readonly queries = new QueryWorld("default");
  readonly database: QueryDatabase = this.queries.get();
  readonly hints: JobHint[] = [];
  upkeep: Upkeep;

  constructor() {
    this.upkeep = this.#openUpkeep();
  }

  async open(other: RollupWorld | null): Promise<void> {
    if (other === null) await this.queries.open(engineModules());
    else this.queries.openLike(other.queries);
  }

  /** As after the loss of the process. */
  reopen(): void {
    this.upkeep = this.#openUpkeep();
  }

  /** Rows of `cpu`, committed. */
  async write(times: number[], values = times.map((_, i) => i)): Promise<void> {
    const host = times.map((_, i) => "ab"[i % 2]);
    this.database.append("cpu", { time: times, host, v: values });
    await this.database.flush();
  }

  create(fields: Partial<RollupFields>): Rollup {
    return this.upkeep.rollups.create(1, { ...FIELDS, ...fields });
  }

  /** Runs what is due and then every job there is, until nothing is left to do. */
  async settle(fault?: Fault): Promise<void> {
    for (let round = 0; round < 20; round++) {
      this.queries.clock.advance(LIMITS.jobLeaseMs + HOUR);
      await this.upkeep.onAlarm();
      const active = this.active();
      if (active.length === 0) return;
      for (const { jobId } of active) await this.run(jobId, fault);
    }
    throw new Error("the jobs do not come to an end");
  }

  /** Jobs that wait for a runner, or have one. */
  active(): Job[] {
    return this.upkeep.jobs.active().filter(({ spec }) => spec.kind === "rollup");
  }

  /** null: there was nothing to start. */
  async run(jobId: number, fault?: Fault): Promise<RollupOutcome | null> {
    const started = this.upkeep.rollups.start(jobId);
    return started === null ? null : runRollup(started, 1, this.ports(started, fault));
  }

  ports({ jobId, attempt, version }: StartedRollup, fault?: Fault): RollupPorts {
    const ticket = { jobId, attempt };
    const { upkeep } = this;
    let call = 0;
    const via = <T>(name: string, work: () => Promise<T>): Promise<T> =>
      fault === undefined ? work() : (fault(++call, name, work) as Promise<T>);
    const fetchRange: FetchRange = (key, offset, byteLength) =>
      via("fetchRange", () => this.queries.lake.read(key, offset, byteLength));
    return {
      nextChunk: (slotCountMax) =>
        via("nextChunk", async () => upkeep.rollups.nextChunk(ticket, version, slotCountMax)),
      extendSchema: (columns) =>
        via("extendSchema", async () => upkeep.rollups.extendSchema(ticket, columns)),
      commit: (change) => via("commit", async () => upkeep.commitRollup(ticket, change)),
      finish: () => via("finish", async () => upkeep.rollups.finish(ticket)),
      fail: (code, message, isFinal) =>
        via("fail", async () => upkeep.jobs.fail(ticket, code, message, isFinal)),
      query: (sql) => via("query", () => this.arrow(sql)),
      fetchRange,
      lake: {
        createInParts: (key) => {
          const writer = this.queries.lake.createInParts(key);
          return { ...writer, finish: () => via("put", () => writer.finish()) };
        },
      },
    };
  }

  async arrow(sql: string): Promise<Uint8Array> {
    const result = resultOptions("arrow");
    const response = await this.queries.ask({ question: sqlQuestion(sql), result });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    const { code, error } = (await response.json()) as { code: ErrorCode; error: string };
    throw new SluiceError(code, error);
  }

  async rows(sql: string): Promise<unknown[][]> {
    const answer = await this.queries.query(sql);
    if (answer.status !== 200) throw new Error(`${sql}: ${String(answer["error"])}`);
    return answer.data;
  }

  runs(rollup: Rollup): Job[] {
    return this.upkeep.rollups.runs(rollup.rollupId, 100);
  }

  #openUpkeep(): Upkeep {
    const ports = {
      store: this.database.store,
      clock: this.queries.clock,
      alarm: new ManualAlarm(),
      sendJobHint: async (hint: JobHint) => void this.hints.push(hint),
      finishTableChanges: async () => 0,
      report: (event: { readonly event: string; readonly error?: unknown }) => {
        if (event.error instanceof Error && !isSluiceError(event.error)) throw event.error;
      },
    };
    return new Upkeep(ports, { compactAfterMs: 60_000 }, this.database.catalog);
  }
}

export const FIELDS: RollupFields = {
  name: "hourly",
  description: "",
  database: "default",
  source: "cpu",
  destination: "cpu_1h",
  query: `SELECT time_bucket(INTERVAL '1 hour', time) AS time, host, count(*) AS n, sum(v) AS total,
      min(v) AS low FROM cpu WHERE time >= '{start_time}' AND time < '{end_time}' GROUP BY ALL`,
  interval: "1h",
  intervalMs: HOUR,
  tagColumns: [],
  retentionDays: null,
  deleteSourceAfterDays: null,
  isActive: true,
};

/** What a rollup of these has made, and what it should have. */
export const OF_DESTINATION = "SELECT time, host, n, total, low FROM cpu_1h ORDER BY 1, 2";
export const OF_SOURCE = `SELECT time_bucket(INTERVAL '1 hour', time) AS time, host, count(*) AS n,
  sum(v) AS total, min(v) AS low FROM cpu GROUP BY ALL ORDER BY 1, 2`;
