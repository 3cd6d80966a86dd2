// The judge of the simulated lake. It knows which batches were committed and which deletes were
// asked for, and of the lake it knows no more than what readers see.

import type { Job } from "#lib/upkeep/types.ts";
import { type Batch, DAY_MS, type EventRow, hoursOf, ROWS_PER_BATCH } from "./lake-tables.ts";
import { EVENTS_ID, type LakeWorld } from "./lake-world.ts";

interface Expectation {
  readonly version: number;
  /** Batches that must be read whole, and that may be: whole, or not at all. */
  readonly present: ReadonlySet<number>;
  readonly either: ReadonlySet<number>;
}

export class LakeBook {
  readonly #world: LakeWorld;
  /** Printed with what is wrong. */
  readonly #where: string;
  readonly batches: Batch[] = [];
  readonly #deletes: { readonly jobId: number; readonly ids: readonly number[] }[] = [];
  /** null: nothing is too old. */
  retentionDays: number | null = null;
  /** By batch: the last version that a reader saw it in, and the first that one missed it in. */
  readonly #seenMax = new Map<number, number>();
  readonly #goneMin = new Map<number, number>();
  reads = 0;

  constructor(world: LakeWorld, where: string) {
    this.#world = world;
    this.#where = where;
  }

  noteDelete({ jobId }: Job, ids: readonly number[]): void {
    this.#deletes.push({ jobId, ids });
  }

  /** Ids that no delete was asked for. */
  undeleted(): number[] {
    const asked = new Set(this.#deletes.flatMap(({ ids }) => ids));
    return this.batches.map(({ id }) => id).filter((id) => !asked.has(id));
  }

  /** A reader sets out; when it comes back, what it has seen is judged. */
  read(): void {
    let expected: Expectation | null = null;
    this.#world.read(
      (rows) => this.#judge(rows, expected!),
      () => (expected = this.#expectNow()),
    );
  }

  readNow(): void {
    this.#judge(this.#world.eventsNow(), this.#expectNow());
  }

  /** When all is healed, also what retention should have done, nothing is left to chance. */
  judgeEnd(cutoffMs: number | null): void {
    this.readNow();
    const { upkeep } = this.#world;
    const gone = new Set(this.#deletes.flatMap(({ ids }) => ids));
    const left = this.batches.filter(
      ({ id, timeMs }) => !gone.has(id) && (cutoffMs === null || timeMs >= cutoffMs),
    );
    const seen = new Set(this.#world.eventsNow().map(({ id }) => id));
    const wanted = left.map(({ id }) => id);
    this.#demand("batches", [...seen].toSorted(byNumber), wanted.toSorted(byNumber));
    this.#judgeHours(upkeep.retention.retainedFromMs(EVENTS_ID) ?? -Infinity);
  }

  /**
   * The rollup is its query's answer; of the hours that retention has been at, it keeps one row.
   */
  #judgeHours(retainedFromMs: number): void {
    const hours = this.#world.hoursNow();
    const times = hours.map(({ timeMs }) => timeMs);
    this.#demand("different hours", new Set(times).size, times.length);
    if (this.#world.upkeep.rollups.list().length === 0) return;
    const isWhole = ({ timeMs }: { timeMs: number }) => timeMs >= retainedFromMs;
    const wanted = hoursOf(this.#world.eventsNow()).filter(isWhole);
    this.#demand("hours", hours.filter(isWhole), wanted);
  }

  #expectNow(): Expectation {
    const { catalog, clock, upkeep } = this.#world;
    const done = this.#deletes.filter(({ jobId }) => upkeep.jobs.find(jobId).state === "done");
    const gone = new Set(done.flatMap(({ ids }) => ids));
    const oldMs =
      this.retentionDays === null ? -Infinity : clock.nowMs() - this.retentionDays * DAY_MS;
    const left = this.batches.filter(({ id }) => !gone.has(id));
    const idsOf = (batches: readonly Batch[]) => new Set(batches.map(({ id }) => id));
    return {
      version: catalog.version,
      present: idsOf(left.filter(({ timeMs }) => timeMs >= oldMs)),
      either: idsOf(left.filter(({ timeMs }) => timeMs < oldMs)),
    };
  }

  #judge(rows: readonly EventRow[], { version, present, either }: Expectation): void {
    this.reads++;
    const counts = new Map<number, number>();
    for (const { id } of rows) counts.set(id, (counts.get(id) ?? 0) + 1);
    const broken = [...counts].filter(([, count]) => count !== ROWS_PER_BATCH);
    const missing = [...present].filter((id) => !counts.has(id));
    const undead = [...counts.keys()].filter((id) => !present.has(id) && !either.has(id));
    for (const id of counts.keys()) raise(this.#seenMax, id, version);
    for (const id of either) if (!counts.has(id)) lower(this.#goneMin, id, version);
    const back = [...this.#goneMin].filter(([id, gone]) => (this.#seenMax.get(id) ?? -1) > gone);
    const faults = { broken, missing, undead, back };
    const none = { broken: [], missing: [], undead: [], back: [] };
    this.#demand(`faults of version ${version}`, faults, none);
  }

  #demand(what: string, found: unknown, wanted: unknown): void {
    const [is, be] = [found, wanted].map((value) => JSON.stringify(value));
    if (is !== be) throw new Error(`${what} should be ${be} and are ${is}, ${this.#where}`);
  }
}

function raise(map: Map<number, number>, id: number, version: number): void {
  map.set(id, Math.max(map.get(id) ?? version, version));
}

function lower(map: Map<number, number>, id: number, version: number): void {
  map.set(id, Math.min(map.get(id) ?? version, version));
}

function byNumber(a: number, b: number): number {
  return a - b;
}
