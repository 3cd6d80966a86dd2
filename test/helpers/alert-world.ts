// A database's alert rules with everything round them: a truth that changes, a clock that jumps, a
// receiver that fails, a stream that forgets to answer, and a process that dies at any write. What
// a crash leaves behind is the store and the alarm.

import type { AlertRows } from "#lib/alerts/types.ts";
import { Alerts } from "#lib/alerts/alerts.ts";
import { Archive } from "#lib/archive/archive.ts";
import type { SqlStore } from "#lib/base/ports.ts";
import { SharedAlarm } from "#lib/base/shared-alarm.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "./memory-world.ts";
import { seededRandom } from "./seeded-random.ts";

export const HOME = { databaseId: 7, name: "db", shardCount: 1 };
const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

class Crash extends Error {}

interface Told {
  readonly labels: { readonly host?: string };
  readonly state: string;
}

export class AlertWorld {
  readonly random: () => number;
  readonly clock = new ManualClock();
  /** Host to its value; a host that is not in it gives no row. */
  readonly truth = new Map<string, number>([["a", 0]]);
  /** Event id to `host state`, in the order of the stream. */
  readonly stream = new Map<string, string>();
  /** Webhook id to what it told, in the order in which the receiver said yes. */
  readonly taken = new Map<string, readonly Told[]>();
  /** Webhook id to every body that it came with. */
  readonly bodies = new Map<string, Set<string>>();
  /** Share of calls that go wrong, and of writes at which the process dies. */
  trouble = 0.25;
  deaths = 0.01;
  queriesMax = 0;
  queries = 0;
  alerts!: Alerts;
  #archive!: Archive;
  #shared!: SharedAlarm;
  readonly #store = new MemorySqlStore();
  readonly #alarm = new ManualAlarm();
  #life = 0;
  #ids = 0;
  #queryFails = false;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.start();
  }

  create(body: JsonObject): number {
    return this.alerts.create(HOME, body, SECRET).rule.ruleId;
  }

  /** Some time passes, and whatever it brings. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    const isDue = this.#alarm.takeIfDue(this.clock.nowMs());
    // The sweep pokes, too: an alarm may be lost.
    if (isDue || this.random() < 0.2) {
      try {
        this.#shared.noteRung();
        this.alerts.wake();
        void this.#archive.onAlarm().catch(() => {});
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        this.start();
      }
    }
    for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (this.#isDead) this.start();
  }

  /** The truth, or whether it can be asked, changes. */
  change(): void {
    const host = "abc"[Math.floor(this.random() * 3)]!;
    const pick = this.random();
    if (pick < 0.4) this.truth.set(host, 100);
    else if (pick < 0.8) this.truth.set(host, 0);
    else if (pick < 0.9) this.truth.delete(host);
    this.#queryFails = this.random() < this.trouble / 2;
  }

  /** Nothing goes wrong any more, and time passes until nothing is left to do. */
  async settle(): Promise<void> {
    this.trouble = 0;
    this.deaths = 0;
    this.#queryFails = false;
    for (let rounds = 0; rounds < 12; rounds++) await this.pass(3_600_000);
  }

  start(): void {
    const life = ++this.#life;
    if (life > 1) this.alerts.stop();
    this.#isDead = false;
    this.queries = 0;
    this.#alarm.clear();
    this.#shared = new SharedAlarm(this.#alarm);
    const store = this.#mortal(life);
    const newId = () => `id-${this.#ids++}`;
    const { clock, random } = this;
    this.#archive = new Archive({
      store,
      clock,
      newId,
      alarm: this.#shared.of("archive"),
      report: () => {},
      post: async ({ id, type, valueJson }) => {
        await this.#call(life);
        const { labels, state } = JSON.parse(valueJson) as Told;
        const isNew = type === "alert" && !this.stream.has(id);
        if (isNew) this.stream.set(id, `${labels?.host ?? "rule"} ${state}`);
        await this.#call(life);
      },
    });
    const archive = this.#archive;
    this.alerts = new Alerts({
      store,
      clock,
      newId,
      random,
      alarm: this.#shared.of("alerts"),
      archive: {
        record: (work, changeOf) => archive.record(work, changeOf),
        note: (change) => archive.note(change),
        noteEvent: (type, tags, value) => archive.noteEvent(type, tags, value),
        // The last words of a process that has died are of no concern.
        deliver: () => archive.deliver().catch(() => {}),
      },
      query: () => this.#query(life),
      storeSamples: async () => {},
      send: async (_url, { webhookId, body }) => {
        const bodies = this.bodies.get(webhookId) ?? new Set();
        this.bodies.set(webhookId, bodies.add(body));
        const failed = { kind: "failed", status: 500, reason: "no", retryAfterMs: null } as const;
        if (random() < this.trouble) return failed;
        const { data } = JSON.parse(body) as { data: { status: string; alerts: Told[] } };
        const told = data.alerts.length > 0 ? data.alerts : [{ labels: {}, state: data.status }];
        if (!this.taken.has(webhookId)) this.taken.set(webhookId, told);
        return random() < this.trouble ? failed : { kind: "delivered", status: 200 };
      },
      report: () => {},
    });
  }

  #isDead = false;

  async #query(life: number): Promise<AlertRows> {
    if (life === this.#life) this.queriesMax = Math.max(this.queriesMax, ++this.queries);
    try {
      await this.#call(life);
      if (this.#queryFails) throw new Error("the query fails");
      const columns = [
        { name: "host", kind: "text" },
        { name: "value", kind: "number" },
      ] as const;
      return { columns, rows: [...this.truth] };
    } finally {
      if (life === this.#life) this.queries--;
    }
  }

  /** A call over the network: takes a while, and may fail. */
  async #call(life: number): Promise<void> {
    // Now and then so long that the next alarms ring meanwhile.
    const turns = this.random() < this.trouble / 2 ? 20 : Math.floor(this.random() * 4);
    for (let turn = 0; turn < turns; turn++) await new Promise((go) => setImmediate(go));
    if (life !== this.#life || this.#isDead) throw new Crash();
    if (this.random() < this.trouble / 2) throw new Error("lost on the way");
  }

  /** The store as one life of the process has it: at some write it dies, and writes no more. */
  #mortal(life: number): SqlStore {
    const store = this.#store;
    const live = () => {
      if (life !== this.#life || this.#isDead) throw new Crash();
    };
    return {
      exec: <Row>(sql: string, ...parameters: Parameters<SqlStore["exec"]>[1][]) => {
        live();
        if (/^\s*(INSERT|UPDATE|DELETE)/.test(sql) && this.random() < this.deaths) {
          this.#isDead = true;
          this.alerts.stop();
          throw new Crash();
        }
        return store.exec<Row>(sql, ...parameters);
      },
      transact: (work) => {
        live();
        return store.transact(work);
      },
      sync: async () => live(),
    };
  }
}
