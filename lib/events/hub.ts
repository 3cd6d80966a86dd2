// The one place of a database that gives events their order.
//
// Posts that wait are stored together, as one append to the database's buffer, and only then are
// they answered and sent to listeners. The next append begins when the outcome of the last is
// known, and not before: so whoever has seen event 17 can be sure that every event up to 17 is
// visible to queries, or never will be, and can resume after it without a gap.
//
// The outcome of an append may stay unknown for a while: the buffer was reset in the middle, or
// this object was. What is about to be appended is noted first, durably; then the same append is
// repeated under its own idempotency key. Where its rows are lost, or it was refused on a repeat,
// an append of nothing takes their place: under the same key the buffer then either says how many
// rows it has stored, or will never store them, whatever is still on its way.
//
// Refuses: a known idempotency key with other events; anything while too much waits.
// Shell: durable-objects/event-stream.ts.

import { Buffer } from "node:buffer";
import { assert } from "#lib/base/assert.ts";
import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import type { OwnBatch } from "#lib/protocol/own-batch.ts";
import { Broadcast } from "./broadcast.ts";
import { eventRows } from "./event-rows.ts";
import { type HubTables, type Identity, openHubTables } from "./hub-tables.ts";
import type { OpenGroup, SeenPost } from "./hub-tables.ts";
import { type PostReceipt, storedEvents } from "./stored-events.ts";
import { type NewEvent, type StoredEvent, tagsJson } from "./types.ts";

export interface PostRequest {
  readonly databaseId: number;
  readonly shardCount: number;
  /** null: a repeated post is a new one. */
  readonly idempotencyKey: string | null;
  /** Hex SHA-256 of what is posted, to tell a repeat from another post under the same key. */
  readonly bodySha256: string;
  readonly events: readonly NewEvent[];
}

export interface HubPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  /**
   * Stores the rows, or nothing under the same key (null). Returns how many rows the buffer has
   * under it. Throws `buffer_unavailable` when the outcome is unknown, another SluiceError when
   * nothing was stored.
   */
  readonly append: (database: Identity, key: string, rows: OwnBatch | null) => Promise<number>;
  /** Told after listeners were. No events: some may have been stored, and it is not known which. */
  readonly published: (events: readonly StoredEvent[], position: number) => void;
  readonly randomBytes: (byteLength: number) => Uint8Array;
  readonly sleep: (ms: number) => Promise<void>;
  readonly report: (failed: "append_failed" | "group_failed", error: unknown) => void;
}

interface PendingPost {
  readonly request: PostRequest;
  readonly receivedMs: number;
  readonly byteLength: number;
  readonly answer: PromiseWithResolvers<PostReceipt>;
}

interface Group {
  readonly open: OpenGroup;
  readonly posts: readonly { readonly post: PendingPost; readonly firstSeq: number }[];
}

const FIRST_PAUSE_MS = 50;
const PAUSE_MS_MAX = 2_000;
const FORGET_POSTS_EVERY_MS = 3_600_000;
/** Of an event beside its value and tags, at most but for a type and an id that are long. */
const EVENT_BYTES = 150;

export class EventHub {
  readonly broadcast: Broadcast;
  readonly #ports: HubPorts;
  readonly #tables: HubTables;
  #identity: Identity | null;
  #ready: Promise<void>;
  #isReady = false;
  #isClosed = false;
  #waiting: PendingPost[] = [];
  #waitingBytes = 0;
  /** Posts with a key whose outcome is not known yet: a twin waits for the owner. */
  readonly #pendingKeys = new Map<string, PendingPost>();
  #isCommitting = false;
  #postsForgottenMs = 0;

  constructor(ports: HubPorts) {
    this.#ports = ports;
    this.#tables = openHubTables(ports.store);
    this.#identity = this.#tables.identity();
    const open = this.#tables.openGroup();
    this.broadcast = new Broadcast(open === null ? this.#lastSeq : open.firstSeq - 1);
    this.#ready = this.#recover().then(() => void (this.#isReady = true));
  }

  get waitingPosts(): number {
    return this.#waiting.length;
  }

  /**
   * Resolves once the events are stored. Throws what refused them; `buffer_unavailable`: it is not
   * known yet whether they are, and the same post under the same key will tell.
   */
  async post(request: PostRequest): Promise<PostReceipt> {
    await this.#soonReady();
    if (this.#isClosed) throw new SluiceError("database_unknown", "the database was dropped");
    this.#identify(request);
    const { receipt, isDuplicate } = this.#findTwin(request) ?? this.#take(request);
    return { ...(await receipt), isDuplicate };
  }

  /** Every event up to there is visible to queries, or never will be. */
  async position(): Promise<number> {
    await this.#soonReady();
    return this.broadcast.position;
  }

  /** The database is dropped: nothing is taken any more, and nobody has anything to listen to. */
  close(): void {
    this.#isClosed = true;
    this.broadcast.restart(this.broadcast.position);
  }

  get #lastSeq(): number {
    return (this.#identity?.nextSeq ?? 1) - 1;
  }

  #identify({ databaseId, shardCount }: PostRequest): void {
    if (this.#identity !== null) return;
    const salt = Buffer.from(this.#ports.randomBytes(8)).toString("hex").slice(0, 15);
    this.#tables.insertIdentity({ databaseId, shardCount, salt, nextSeq: 1 });
    this.#identity = this.#tables.identity();
  }

  /** null: the post is new. Throws `idempotency_key_reused`. */
  #findTwin({ idempotencyKey: key, bodySha256 }: PostRequest) {
    if (key === null) return null;
    const owner = this.#pendingKeys.get(key);
    const seen = owner?.request ?? this.#tables.seenPost(key, this.#ports.clock.nowMs());
    if (seen === null) return null;
    if (seen.bodySha256 !== bodySha256) {
      const message = `idempotency key "${key}" was used before with other events`;
      throw new SluiceError("idempotency_key_reused", message, { key });
    }
    const receipt = owner?.answer.promise ?? this.#receiptOf(seen as SeenPost);
    return { receipt, isDuplicate: true };
  }

  #take(request: PostRequest) {
    // In a group it would fail the others: there is no append of no rows.
    assert(request.events.length > 0, "a post has events");
    if (this.#waitingBytes > LIMITS.eventsWaitingBytesMax) {
      const message = `events of ${this.#waitingBytes} bytes wait to be stored`;
      throw new SluiceError("stream_full", message, { retry_after_s: 1 });
    }
    const receivedMs = this.#ports.clock.nowMs();
    const answer = Promise.withResolvers<PostReceipt>();
    // A poster that no longer waits does not hear of it.
    answer.promise.catch(() => {});
    const post = { request, receivedMs, byteLength: byteLengthOf(request.events), answer };
    this.#waiting.push(post);
    this.#waitingBytes += post.byteLength;
    if (request.idempotencyKey !== null) this.#pendingKeys.set(request.idempotencyKey, post);
    void this.#commitGroups();
    return { receipt: answer.promise, isDuplicate: false };
  }

  async #commitGroups(): Promise<void> {
    if (this.#isCommitting) return;
    this.#isCommitting = true;
    try {
      while (this.#waiting.length > 0) {
        await this.#ready;
        await this.#commit(this.#nextGroup());
      }
    } finally {
      this.#isCommitting = false;
    }
  }

  #nextGroup(): Group {
    let count = 0;
    let byteLength = 0;
    do byteLength += this.#waiting[count++]!.byteLength;
    while (
      count < this.#waiting.length &&
      byteLength + this.#waiting[count]!.byteLength <= LIMITS.eventGroupBytesMax
    );
    this.#waitingBytes -= byteLength;
    const firstSeq = this.#identity!.nextSeq;
    let nextSeq = firstSeq;
    const posts = this.#waiting.splice(0, count).map((post) => {
      const placed = { post, firstSeq: nextSeq };
      nextSeq += post.request.events.length;
      return placed;
    });
    // No client can send a key with a space in it.
    const groupKey = `events ${this.#identity!.salt} ${firstSeq}`;
    return { open: { groupKey, firstSeq, lastSeq: nextSeq - 1 }, posts };
  }

  async #commit(group: Group): Promise<void> {
    try {
      const events = group.posts.flatMap(({ post, firstSeq }) =>
        storedEvents(post.request.events, this.#receiptOf(placeOf(post, firstSeq))),
      );
      const rows = eventRows(events);
      await this.#note(group);
      const refused = await this.#append(group.open, rows, group.posts);
      this.#settle(group.open, refused);
      if (refused === null) this.#publish(events, group.open.lastSeq);
      this.#answer(group, refused);
    } catch (error) {
      this.#ports.report("group_failed", error);
      for (const { post } of group.posts) post.answer.reject(error);
      // What this object knows of itself may no longer be what its tables say.
      this.#recoverFirst();
    } finally {
      for (const { post } of group.posts) {
        if (post.request.idempotencyKey !== null) {
          this.#pendingKeys.delete(post.request.idempotencyKey);
        }
      }
    }
  }

  /** Before anything of the group can be stored: its numbers, and whose events they are. */
  async #note({ open, posts }: Group): Promise<void> {
    const { store, clock } = this.#ports;
    const nowMs = clock.nowMs();
    store.transact(() => {
      this.#tables.insertOpenGroup(open);
      for (const { post, firstSeq } of posts) {
        const { idempotencyKey: key, bodySha256 } = post.request;
        if (key === null) continue;
        const seen = { key, bodySha256, ...placeOf(post, firstSeq) };
        this.#tables.insertPost(seen, nowMs + LIMITS.idempotencyWindowMs);
      }
      if (nowMs - this.#postsForgottenMs < FORGET_POSTS_EVERY_MS) return;
      this.#postsForgottenMs = nowMs;
      this.#tables.forgetOldPosts(nowMs);
    });
    await store.sync();
    this.#identity = this.#tables.identity();
  }

  /**
   * Until the outcome is known: null when the rows are stored, else what refused them.
   * `rows` null: they are lost, and may have been sent.
   */
  async #append(
    { groupKey }: OpenGroup,
    rows: OwnBatch | null,
    posts: Group["posts"],
  ): Promise<SluiceError | null> {
    let refused: SluiceError | null = null;
    for (let tries = 0; ; tries++) {
      const toStore = refused === null ? rows : null;
      try {
        const rowCount = await this.#ports.append(this.#identity!, groupKey, toStore);
        return rowCount > 0 ? null : (refused ?? notStored());
      } catch (error) {
        const isKnown = isSluiceError(error) && error.code !== "buffer_unavailable";
        // Of what was never sent before, or to a buffer that is no more.
        const isFinal = (tries === 0 && rows !== null) || isDropped(error);
        if (isKnown && isFinal) return error;
        if (isKnown) refused = error;
        this.#ports.report("append_failed", error);
      }
      this.#letGo([...posts.map(({ post }) => post), ...this.#waiting]);
      await this.#ports.sleep(Math.min(FIRST_PAUSE_MS * 2 ** tries, PAUSE_MS_MAX));
    }
  }

  #settle({ firstSeq, lastSeq }: OpenGroup, refused: SluiceError | null): void {
    this.#ports.store.transact(() => {
      if (refused !== null) this.#tables.forgetPosts(firstSeq, lastSeq);
      this.#tables.deleteOpenGroup();
    });
  }

  #answer({ posts }: Group, refused: SluiceError | null): void {
    for (const { post, firstSeq } of posts) {
      if (refused !== null) post.answer.reject(refused);
      else post.answer.resolve(this.#receiptOf(placeOf(post, firstSeq)));
    }
  }

  /** Nobody is kept waiting for longer than a client would wait. */
  #letGo(posts: readonly PendingPost[]): void {
    const sinceMs = this.#ports.clock.nowMs() - LIMITS.eventOutcomeWaitMs;
    for (const { receivedMs, answer } of posts) {
      if (receivedMs <= sinceMs) answer.reject(notKnown());
    }
  }

  #recoverFirst(): void {
    this.#isReady = false;
    this.#ready = this.#recover().then(() => void (this.#isReady = true));
  }

  /** What was left open is closed before anything else is begun. */
  async #recover(): Promise<void> {
    for (;;) {
      try {
        this.#identity = this.#tables.identity();
        const open = this.#tables.openGroup();
        if (open !== null) this.#settle(open, await this.#append(open, null, []));
        if (this.#lastSeq === this.broadcast.position) return;
        this.broadcast.restart(this.#lastSeq);
        return this.#ports.published([], this.#lastSeq);
      } catch (error) {
        this.#ports.report("group_failed", error);
        await this.#ports.sleep(PAUSE_MS_MAX);
      }
    }
  }

  #publish(events: readonly StoredEvent[], position: number): void {
    this.broadcast.publish(events, position);
    this.#ports.published(events, position);
  }

  async #soonReady(): Promise<void> {
    if (this.#isReady) return;
    const late = this.#ports.sleep(LIMITS.eventOutcomeWaitMs).then(() => "late" as const);
    if ((await Promise.race([this.#ready, late])) === "late") throw notKnown();
  }

  #receiptOf({ firstSeq, receivedUs }: Place): PostReceipt {
    return { firstSeq, receivedUs, salt: this.#identity!.salt, isDuplicate: false };
  }
}

type Place = Pick<PostReceipt, "firstSeq" | "receivedUs">;

function placeOf({ receivedMs }: PendingPost, firstSeq: number): Place {
  return { firstSeq, receivedUs: receivedMs * 1_000 };
}

/** As UTF-8: a group that is larger than it was taken for would be refused with all its posts. */
function byteLengthOf(events: readonly NewEvent[]): number {
  return events.reduce((sum, { valueJson, tags }) => {
    return (
      sum + EVENT_BYTES + Buffer.byteLength(tagsJson(tags)) + Buffer.byteLength(valueJson ?? "")
    );
  }, 0);
}

function isDropped(error: unknown): boolean {
  return isSluiceError(error) && error.code === "database_unknown";
}

function notStored(): SluiceError {
  const message = "the events were not stored; send them again";
  return new SluiceError("buffer_unavailable", message, { retry_after_s: 1 });
}

function notKnown(): SluiceError {
  const message = "it is not known yet whether the events are stored; send them again";
  return new SluiceError("buffer_unavailable", message, { retry_after_s: 1 });
}
