// Drops and renames under faults, with writers and readers that go by what they knew long ago: what
// was acknowledged before a drop is gone after it, what is acknowledged after it is there; a rename
// takes every row along, and no row that is written under the old name afterwards. A failing run
// names the seed that repeats it.

import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { seededRandom } from "../helpers/seeded-random.ts";
import { FaultyWorld, MEASUREMENT, NO_FAULTS } from "./faulty-world.ts";

const SEED = Number(process.env["SIM_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const RUNS = Number(process.env["SIM_RUNS"] ?? 60);
const STEPS = 120;
const FAULTS = { ...NO_FAULTS, crash: 0.03, failBefore: 0.04, failAfter: 0.06, stall: 0.02 };

/**
 * Where a batch must be: in that table; "somewhere": in one that nobody can name; "nowhere"; or,
 * "perhaps", whole in one table or in none.
 */
type Place = { readonly table: string } | "somewhere" | "nowhere" | "perhaps";

interface Offered {
  readonly id: number;
  readonly rowCount: number;
  readonly firstTriedMs: number;
  /** Changes that had begun or ended when it was first tried. */
  readonly firstEpoch: number;
  place: Place;
  isAcked: boolean;
}

describe("drops and renames", () => {
  test(`in ${RUNS} runs of ${STEPS} steps from seed ${SEED}`, { timeout: 600_000 }, async () => {
    const met = { drops: 0, renames: 0, resumed: 0, staleAppends: 0, crashes: 0 };
    for (let run = 0; run < RUNS; run++) {
      const simulation = new Simulation(SEED + run);
      await simulation.run();
      for (const name of Object.keys(met) as (keyof typeof met)[]) {
        met[name] += simulation.met[name];
      }
    }
    // What never happened would have proved nothing.
    for (const [name, count] of Object.entries(met)) expect(count, name).toBeGreaterThan(0);
  });
});

class Simulation {
  readonly #seed: number;
  readonly #random: () => number;
  readonly #world: FaultyWorld;
  readonly #offered: Offered[] = [];
  readonly #met = { drops: 0, renames: 0, resumed: 0 };
  #step = 0;
  #epoch = 0;
  /** Kinds of changes that may have begun and are not known to have ended. */
  readonly #open = new Set<"drop" | "rename">();

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#world = new FaultyWorld(this.#random, FAULTS);
  }

  get met() {
    const { staleAppends, crashes } = this.#world.seen;
    return { ...this.#met, staleAppends, crashes };
  }

  async run(): Promise<void> {
    for (; this.#step < STEPS; this.#step++) {
      await this.#takeStep();
      if (this.#step % 5 === 0) await this.#judge(() => this.#world.deliverHint());
    }
    this.#world.faults = NO_FAULTS;
    demand(await this.#finish(), `changes left in the middle, ${this.#where}`);
    for (const one of this.#offered) {
      while (!one.isAcked && this.#mayRetry(one)) await this.#offer(one);
    }
    for (let i = 0; i < 100; i++) {
      this.#world.clock.advance(60_000);
      await this.#world.ringAlarm();
      await this.#world.deliverHint();
    }
    demand(this.#world.unflushedRows === 0, `un-flushed after healing, ${this.#where}`);
    this.#world.clock.advance(25 * 3_600_000);
    await this.#world.collectGarbage();
    demand(this.#world.orphans().length === 0, `orphans after collection, ${this.#where}`);
    await this.#judge();
  }

  async #takeStep(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.5) {
      const again = this.#offered.filter((one) => !one.isAcked && this.#mayRetry(one));
      const isRetry = again.length > 0 && this.#random() < 0.5;
      await this.#offer(isRetry ? again[Math.floor(this.#random() * again.length)]! : this.#new());
    } else if (dice < 0.65) await this.#world.deliverHint();
    else if (dice < 0.78) {
      this.#world.clock.advance(Math.floor(this.#random() * 30_000));
      await this.#world.ringAlarm();
    } else if (dice < 0.86) await this.#drop();
    else if (dice < 0.92) await this.#rename();
    else if (dice < 0.96) await this.#finish();
    else {
      // In the middle of a query: it sees each batch whole or not at all.
      const change = this.#random() < 0.5 ? () => this.#drop() : () => this.#rename();
      this.#demandWhole(await this.#world.query(change));
    }
  }

  #new(): Offered {
    const one: Offered = {
      id: this.#offered.length,
      rowCount: 1 + Math.floor(this.#random() * 4),
      firstTriedMs: this.#world.clock.nowMs(),
      firstEpoch: this.#epoch,
      place: "perhaps",
      isAcked: false,
    };
    this.#offered.push(one);
    return one;
  }

  async #offer(one: Offered): Promise<void> {
    if (!(await this.#world.append(one.id, one.rowCount))) return;
    one.isAcked = true;
    // The first try may have stored it, and what happened since may have taken it away.
    if (one.firstEpoch !== this.#epoch || this.#open.has("drop")) one.place = "perhaps";
    else one.place = this.#open.has("rename") ? "somewhere" : { table: MEASUREMENT };
  }

  async #drop(): Promise<void> {
    const before = this.#begin("drop");
    const isAnswered = await this.#world.drop();
    for (const one of before) one.place = isAnswered ? "nowhere" : "perhaps";
    for (const one of this.#offered) if (one.place === "somewhere") one.place = "perhaps";
    if (isAnswered) this.#end("drops");
  }

  async #rename(): Promise<void> {
    const newName = `archive-${this.#step}`;
    const before = this.#begin("rename");
    const isAnswered = await this.#world.rename(newName);
    for (const one of before) one.place = isAnswered ? { table: newName } : "somewhere";
    if (isAnswered) this.#end("renames");
  }

  async #finish(): Promise<boolean> {
    const isFinished = await this.#world.finishChanges();
    if (isFinished && this.#open.size > 0) this.#end("resumed");
    return isFinished;
  }

  /** Returns those that are known to be in the table now. */
  #begin(kind: "drop" | "rename"): Offered[] {
    this.#epoch++;
    this.#open.add(kind);
    return this.#offered.filter(({ place }) => isIn(place, MEASUREMENT));
  }

  #end(kind: "drops" | "renames" | "resumed"): void {
    this.#epoch++;
    this.#open.clear();
    this.#met[kind]++;
  }

  /** After the window a key is new again. */
  #mayRetry({ firstTriedMs }: Offered): boolean {
    return this.#world.clock.nowMs() - firstTriedMs < LIMITS.idempotencyWindowMs;
  }

  async #judge(meanwhile?: () => Promise<void>): Promise<void> {
    const found = new Map<number, string>();
    for (const table of new Set([MEASUREMENT, ...this.#world.measurements])) {
      const rows = await this.#world.query(meanwhile, table);
      this.#demandWhole(rows);
      for (const id of rows.keys()) {
        demand(!found.has(id), `batch ${id} is in ${table}, too, ${this.#where}`);
        found.set(id, table);
      }
    }
    for (const { id, place } of this.#offered) {
      const at = found.get(id) ?? null;
      const what = `batch ${id} must be ${JSON.stringify(place)} and is in ${at}, ${this.#where}`;
      demand(isRight(place, at), what);
    }
  }

  #demandWhole(rows: ReadonlyMap<number, number>): void {
    for (const [id, count] of rows) {
      const isWhole = count === this.#offered[id]!.rowCount;
      demand(isWhole, `${count} rows of batch ${id}, ${this.#where}`);
    }
  }

  get #where(): string {
    return `SIM_SEED=${this.#seed} SIM_RUNS=1, step ${this.#step}`;
  }
}

function isIn(place: Place, table: string): boolean {
  return typeof place === "object" && place.table === table;
}

function isRight(place: Place, table: string | null): boolean {
  if (place === "perhaps") return true;
  if (place === "nowhere") return table === null;
  return place === "somewhere" ? table !== null : table === place.table;
}

function demand(isMet: boolean, what: string): void {
  expect(isMet, what).toBe(true);
}
