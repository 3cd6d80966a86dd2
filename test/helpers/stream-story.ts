// A life of a stream of events, drawn from one seed: posts, repeats, crashes, listeners that come
// and go, and appends of which any may go wrong; and what has to be true of it afterwards.

import assert from "node:assert/strict";
import type { Listener } from "#lib/events/broadcast.ts";
import type { PostReceipt } from "#lib/events/stored-events.ts";
import type { NewEvent } from "#lib/events/types.ts";
import { seededRandom } from "./seeded-random.ts";
import { type Fault, StreamWorld } from "./stream-world.ts";

interface Post {
  readonly key: string | null;
  readonly events: readonly NewEvent[];
  readonly receipts: PostReceipt[];
  readonly refusals: string[];
}

const EVERYTHING = { tags: [], type: null };
const STEPS = 60;

export class StreamStory {
  readonly #random: () => number;
  readonly #world = new StreamWorld();
  readonly #posts: Post[] = [];
  readonly #readers = Array.from({ length: 3 }, () => new Reader());
  /** What was visible up to a position when the stream was asked for it. */
  readonly #asked: { readonly position: number; readonly seqs: number[] }[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  async run(): Promise<void> {
    const faultRate = this.#random() * 0.7;
    const faults: Fault[] = ["lost", "unheard", "late", "refused"];
    this.#world.nextFault = () => (this.#random() < faultRate ? this.#oneOf(faults) : "none");
    const diskFaultRate = this.#random() < 0.5 ? 0 : this.#random() * 0.2;
    this.#world.isDiskFailing = () => this.#random() < diskFaultRate;
    for (let step = 0; step < STEPS; step++) await this.#step();
    this.#world.nextFault = () => "none";
    this.#world.isDiskFailing = () => false;
    await this.#world.deliverLate();
    for (const post of this.#posts) {
      for (let tries = 0; post.key !== null && post.receipts.length === 0; tries++) {
        assert(tries < 10, "a repeated post is stored in the end");
        await this.#send(post);
      }
    }
    await this.#settle();
    for (const reader of this.#readers) await this.#follow(reader);
    await this.#settle();
  }

  /** The places of the stored events, in the order in which they became visible. */
  get stored(): number[] {
    return this.#world.rows.map(({ seq }) => seq);
  }

  /** What each listener was told. */
  get told(): readonly number[][] {
    return this.#readers.map(({ seen }) => seen);
  }

  /** Where the stream said to be, and what was visible up to there: then, and in the end. */
  get positions(): { before: number[]; after: number[] }[] {
    return this.#asked.map(({ position, seqs }) => {
      return { before: seqs, after: this.stored.filter((seq) => seq <= position) };
    });
  }

  /** Throws unless what each poster was told is what is stored. */
  checkPosts(): void {
    for (const { key, events, receipts, refusals } of this.#posts) {
      const mine = new Set(events.map(({ valueJson }) => valueJson));
      const stored = this.#world.rows.filter(({ value }) => mine.has(value));
      const seqs = stored.map(({ seq }) => seq);
      if (receipts.length > 0) {
        const { firstSeq } = receipts[0]!;
        assert.deepEqual(
          seqs,
          events.map((_, i) => firstSeq + i),
        );
        assert(receipts.every((receipt) => receipt.firstSeq === firstSeq));
      } else {
        assert.equal(key, null, "whoever has a key comes until it is told");
        assert([0, events.length].includes(seqs.length), "all or nothing");
        if (refusals.includes("buffer_full")) assert.deepEqual(seqs, []);
      }
    }
  }

  async #step(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.35) void this.#send(this.#newPost());
    else if (dice < 0.5 && this.#posts.length > 0) void this.#repeat(this.#oneOf(this.#posts));
    else if (dice < 0.58) this.#world.crash();
    else if (dice < 0.64) await this.#world.deliverLate();
    else if (dice < 0.74) void this.#follow(this.#oneOf(this.#readers));
    else if (dice < 0.8) this.#oneOf(this.#readers).leave();
    else if (dice < 0.85) void this.#askPosition();
    else await this.#settle(Math.ceil(this.#random() * 6));
  }

  #newPost(): Post {
    const no = this.#posts.length;
    const count = Math.ceil(this.#random() * 3);
    const events = Array.from({ length: count }, (_, i) => {
      return { id: null, type: "event", tags: ["t"], valueJson: `"${no}/${i}"`, timeUs: null };
    });
    const key = this.#random() < 0.7 ? `key-${no}` : null;
    const post = { key, events, receipts: [], refusals: [] };
    this.#posts.push(post);
    return post;
  }

  async #repeat(post: Post): Promise<void> {
    if (post.key !== null) await this.#send(post);
  }

  async #send({ key, events, receipts, refusals }: Post): Promise<void> {
    const request = { databaseId: 1, shardCount: 1, idempotencyKey: key, bodySha256: "", events };
    try {
      receipts.push(await this.#world.hub.post(request));
    } catch (error) {
      refusals.push((error as { code?: string }).code ?? "crashed");
    }
  }

  /** As the front door does: what the stream no longer has comes from the tables. */
  async #follow(reader: Reader): Promise<void> {
    reader.leave();
    const visit = reader.visit;
    const { hub } = this.#world;
    for (;;) {
      const position = await hub.position();
      if (reader.visit !== visit || reader.attachTo(hub)) return;
      for (const { seq } of this.#world.rows) {
        if (seq > reader.last && seq <= position) reader.seen.push(seq);
      }
      reader.caughtUpTo = position;
    }
  }

  async #askPosition(): Promise<void> {
    const { hub } = this.#world;
    const position = await hub.position();
    const seqs = this.#world.rows.map(({ seq }) => seq).filter((seq) => seq <= position);
    this.#asked.push({ position, seqs });
  }

  async #settle(turns = 60): Promise<void> {
    for (let left = turns; left > 0; left--) await new Promise(setImmediate);
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!;
  }
}

class Reader {
  readonly seen: number[] = [];
  caughtUpTo = 0;
  /** Grows whenever the connection ends. */
  visit = 0;
  #leave = (): void => {};

  get last(): number {
    return Math.max(this.seen.at(-1) ?? 0, this.caughtUpTo);
  }

  attachTo({ broadcast }: StreamWorld["hub"]): boolean {
    const visit = this.visit;
    let listener: Listener | null = null;
    const send = (bytes: Uint8Array) => {
      if (visit !== this.visit) return;
      const text = new TextDecoder().decode(bytes);
      for (const [, seq] of text.matchAll(/^id: (\d+)\ndata: /gm)) this.seen.push(Number(seq));
      setImmediate(() => listener?.pull());
    };
    listener = broadcast.attach(EVERYTHING, this.last, { send, end: () => this.leave() });
    this.#leave = () => listener !== null && broadcast.detach(listener);
    return listener !== null;
  }

  leave(): void {
    this.visit += 1;
    this.#leave();
  }
}
