// Promise: every change is archived once, in the order in which they were made, whatever crashes,
// and however often a post fails before or after the stream has stored it. `ARCHIVE_SEED` repeats
// one run, `SIM_RUNS` tries more.

import { expect, test } from "vitest";
import { Archive } from "#lib/archive/archive.ts";
import { isRefusal } from "#lib/base/errors.ts";
import { ArchivedDirectory } from "#lib/directory/archived-directory.ts";
import { DatabaseDrops } from "#lib/directory/database-drops.ts";
import { databaseChange } from "#lib/directory/artifacts.ts";
import { DirectoryCore } from "#lib/directory/directory.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "../helpers/memory-world.ts";
import { PROPERTY_TIMEOUT_MS } from "../helpers/property.ts";
import { seededRandom } from "../helpers/seeded-random.ts";

const { ARCHIVE_SEED, SIM_RUNS = "100" } = process.env;
const SEEDS = ARCHIVE_SEED === undefined ? [...Array(Number(SIM_RUNS)).keys()] : [+ARCHIVE_SEED];
const STEPS = 40;

class Crash extends Error {}

/** A directory over a store that stays, and a stream that knows the ids that it has seen. */
class World {
  readonly #random: () => number;
  readonly #store = new MemorySqlStore();
  readonly #clock = new ManualClock();
  readonly #alarm = new ManualAlarm();
  /** `action name`, as the changes were made. */
  readonly made: string[] = [];
  readonly stream = new Map<string, string>();
  /** All that was ever sent, as text. */
  readonly sent: string[] = [];
  readonly secrets: string[] = [];
  /** Share of posts that go wrong. */
  trouble = 0.4;
  #directory!: ArchivedDirectory;
  #core!: DirectoryCore;
  #archive!: Archive;
  #ids = 0;
  #lives = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#start();
  }

  async step(): Promise<void> {
    try {
      await this.#act();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#start();
    }
    this.#clock.advance(Math.floor(this.#random() * 3_000));
    if (this.#alarm.takeIfDue(this.#clock.nowMs())) await this.#archive.onAlarm();
    if (this.#random() < 0.05) this.#start();
  }

  /** Nothing goes wrong any more, and time passes. */
  async settle(): Promise<void> {
    this.trouble = 0;
    for (let tries = 0; tries < 10 && this.#waiting() > 0; tries++) {
      this.#clock.advance(60_000);
      if (this.#alarm.takeIfDue(this.#clock.nowMs())) await this.#archive.onAlarm();
    }
  }

  #waiting(): number {
    return this.#store.exec("SELECT 1 FROM archived_event").length;
  }

  async #act(): Promise<void> {
    const name = `n${Math.floor(this.#random() * 4)}`;
    const token = this.#core.listTokens().find((one) => one.name === name);
    const pick = this.#random();
    if (pick < 0.2) return this.#makeDatabase(name);
    if (token === undefined) this.#createToken(name);
    else if (pick < 0.5) this.#note("update", name, this.#directory.revokeToken(token.tokenId));
    else if (pick < 0.7) this.#rotate(token.tokenId, name);
    else this.#note("delete", name, this.#directory.deleteToken(token.tokenId));
    if (this.#random() < 0.1) throw new Crash();
    await this.#archive.deliver();
  }

  #makeDatabase(name: string): void {
    const isNew = this.#core.findDatabase(name) === null;
    this.#directory.createDatabase(name, 1);
    if (isNew) this.made.push(`create ${name}`);
  }

  #createToken(name: string): void {
    const fields = { description: "", permissions: ["read"], databases: ["*"] } as const;
    const made = this.#directory.createToken({ name, ...fields, expiresMs: null });
    if (isRefusal(made)) throw new Error(made.message);
    this.secrets.push(made.text, this.#core.findToken(made.token.tokenId)!.digest);
    this.made.push(`create ${name}`);
  }

  #rotate(tokenId: number, name: string): void {
    const rotated = this.#directory.rotateToken(tokenId);
    if (isRefusal(rotated)) throw new Error(rotated.message);
    this.secrets.push(rotated.text, this.#core.findToken(tokenId)!.digest);
    this.made.push(`update ${name}`);
  }

  #note(action: string, name: string, refusal: unknown): void {
    if (refusal !== null) throw new Error(`${action} ${name} was refused`);
    this.made.push(`${action} ${name}`);
  }

  #start(): void {
    const store = this.#store;
    const clock = this.#clock;
    const life = ++this.#lives;
    this.#alarm.clear();
    const archive = new Archive({
      store,
      clock,
      alarm: this.#alarm,
      newId: () => `event-${this.#ids++}`,
      post: async ({ id, tags, valueJson }) => {
        this.sent.push(id + tags.join() + valueJson);
        // What a life before this one still has on its way may arrive, but not change its outbox.
        const isDead = () => life !== this.#lives;
        if (this.#random() < this.trouble / 2) throw new Error("lost before");
        const [, tag = "", , action = ""] = tags;
        const text = `${action.slice("archiving:".length)} ${tag.split(":")[1]}`;
        if (!this.stream.has(id)) this.stream.set(id, text);
        if (isDead() || this.#random() < this.trouble / 2) throw new Error("lost after");
      },
      report: () => {},
    });
    const work = async () => {};
    const steps = { closeBuffer: work, emptyBuffer: work, eraseRecords: work, removeObjects: work };
    const drops = new DatabaseDrops({
      ...steps,
      store,
      clock,
      alarm: new ManualAlarm(),
      archive: (database) => archive.note(databaseChange("delete", database)),
      report: () => {},
    });
    const randomBytes = (length: number) =>
      Uint8Array.from({ length }, () => Math.floor(this.#random() * 256));
    this.#core = new DirectoryCore({ store, clock, randomBytes }, drops);
    this.#archive = archive;
    this.#directory = new ArchivedDirectory(this.#core, archive);
  }
}

test(
  "each change of a directory is archived once, in order, and without a secret",
  async () => {
    for (const seed of SEEDS) {
      const world = new World(seed);
      for (let step = 0; step < STEPS; step++) await world.step();
      await world.settle();
      expect([...world.stream.values()], `ARCHIVE_SEED=${seed}`).toEqual(world.made);
      const everything = world.sent.join("\n");
      const leaked = world.secrets.filter((secret) => everything.includes(secret));
      expect(leaked, `ARCHIVE_SEED=${seed}`).toEqual([]);
    }
  },
  PROPERTY_TIMEOUT_MS,
);
