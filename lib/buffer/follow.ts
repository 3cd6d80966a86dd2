// Following the log: whatever is appended for one table, in order, from a given place on.
//
// A follower asks again and again, each time from where it was; it has no state here but while it
// waits. So a slow follower slows nobody, and one that vanished is forgotten when its wait is over.
// A commit wakes those that wait for its tables and does nothing else for them.
//
// The log is a queue and no archive: a segment's log goes soon after its files are committed.
// Segment numbers have no holes, so what is missing between a position and the end is seen, and it
// is known for a while whether it had rows of the table. What cannot be ruled out is told as a gap.
//
// A segment that is put aside is followed like any other: its rows were acknowledged.

import { LIMITS } from "#lib/base/limits.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import type { BufferTables } from "./buffer-tables.ts";
import { type FollowableSegment, type FollowTables, openFollowTables } from "./follow-tables.ts";
import type { Gate } from "./gate.ts";
import { formatSegmentId, parseSegmentId } from "./segment-id.ts";
import type { BatchHeader, Followed, FollowEnd, FollowRequest, FollowStart } from "./types.ts";
import type { LogPosition, RecentBatch } from "./types.ts";

interface FollowPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  sleep(ms: number): Promise<void>;
}

interface Waiting {
  readonly tableId: number;
  readonly deadlineMs: number;
  readonly wake: () => void;
}

/** A position whose segment is one of ours. */
interface Place {
  readonly segmentNo: number;
  readonly sequence: number;
}

interface Walk {
  readonly headers: readonly BatchHeader[];
  readonly place: Place;
  readonly isCut: boolean;
  /** null: nothing is missing. Else the first segment behind what is. */
  readonly resumedAt: number | null;
}

export class Followers {
  readonly #ports: FollowPorts;
  readonly #buffer: BufferTables;
  readonly #tables: FollowTables;
  readonly #gate: Gate;
  readonly #waiting = new Set<Waiting>();
  #isTicking = false;
  #lastTurnMs = 0;

  constructor(ports: FollowPorts, buffer: BufferTables, gate: Gate) {
    this.#ports = ports;
    this.#buffer = buffer;
    this.#tables = openFollowTables(ports.store);
    this.#gate = gate;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Where somebody begins who follows from now on, and the rows just before it. */
  start(shard: number, tableId: number, rows: number): FollowStart {
    const recent: RecentBatch[] = [];
    const newest = rows === 0 ? [] : this.#tables.followableSegments().toReversed();
    let rowCount = 0;
    for (const { segmentNo } of newest) {
      if (rowCount >= rows) break;
      for (const header of this.#headers(shard, segmentNo, tableId, 0).toReversed()) {
        if (rowCount >= rows) break;
        rowCount += header.rowCount;
        const { segmentId, sequence, receivedUs } = header;
        recent.push({ segmentId, sequence, rowCount: header.rowCount, receivedUs });
      }
    }
    return { position: this.#position(shard, this.#end(), this.#ports.clock.nowMs()), recent };
  }

  /** Answers at once when there is something to tell, else when there is or the wait is over. */
  async follow(request: FollowRequest): Promise<Followed> {
    const deadlineMs = this.#ports.clock.nowMs() + request.waitMs;
    for (;;) {
      const found = this.#read(request);
      const isNews = found.run.headers.length > 0 || found.gap !== null || found.end !== null;
      if (isNews || this.#ports.clock.nowMs() >= deadlineMs) return found;
      await this.#wait(request.tableId, deadlineMs);
    }
  }

  /** After a commit. */
  wake(batches: readonly { readonly tableId: number }[]): void {
    if (this.#waiting.size === 0) return;
    const tableIds = new Set(batches.map(({ tableId }) => tableId));
    this.#wakeThose(({ tableId }) => tableIds.has(tableId));
  }

  wakeAll(): void {
    this.#wakeThose(() => true);
  }

  #wakeThose(isMeant: (waiting: Waiting) => boolean): void {
    for (const waiting of this.#waiting) {
      if (!isMeant(waiting)) continue;
      this.#waiting.delete(waiting);
      waiting.wake();
    }
  }

  #wait(tableId: number, deadlineMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add({ tableId, deadlineMs, wake: resolve });
    void this.#tick();
    return promise;
  }

  /** One timer for all who wait, and none when nobody does. */
  async #tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    while (this.#waiting.size > 0) {
      const nextMs = Math.min(...Array.from(this.#waiting, ({ deadlineMs }) => deadlineMs));
      await this.#ports.sleep(Math.max(1, nextMs - this.#ports.clock.nowMs()));
      const nowMs = this.#ports.clock.nowMs();
      this.#wakeThose(({ deadlineMs }) => deadlineMs <= nowMs);
    }
    this.#isTicking = false;
  }

  #read(request: FollowRequest): Followed {
    const { shard, after } = request;
    const nowMs = this.#ports.clock.nowMs();
    const nothing = { run: { headers: [], bodies: [] }, isCut: false, restMs: 0 };
    if (this.#gate.isEmpty()) {
      const end = { reason: "database_dropped" } as const;
      return { gap: null, ...nothing, position: after, end };
    }
    const segments = this.#tables.followableSegments();
    const { headers, place, isCut, resumedAt } = this.#walk(request, segments);
    const end = this.#findEnd(request, headers.length > 0);
    const resumed = segments.find(({ segmentNo }) => segmentNo === resumedAt);
    const gap =
      resumedAt === null ? null : { fromMs: after.atMs, toMs: resumed?.openedMs ?? nowMs };
    const bodies = headers.map((header) =>
      this.#buffer.batchBytes(parseSegmentId(header.segmentId).segmentNo, header),
    );
    const lastMs = Math.ceil((headers.at(-1)?.receivedUs ?? 0) / 1_000);
    const position = this.#position(shard, place, isCut ? lastMs : nowMs);
    const restMs = isCut || headers.length === 0 ? 0 : this.#rest(nowMs);
    return { gap, run: { headers, bodies }, position, isCut, restMs, end };
  }

  /** So that followers who are up to date do not ask all at once, however many they are. */
  #rest(nowMs: number): number {
    const turnMs = Math.max(nowMs + LIMITS.tailRestMs, this.#lastTurnMs + LIMITS.tailTurnMs);
    this.#lastTurnMs = Math.min(turnMs, nowMs + LIMITS.tailRestMsMax);
    return this.#lastTurnMs - nowMs;
  }

  #walk(request: FollowRequest, segments: readonly FollowableSegment[]): Walk {
    const { shard, tableId, after, bytesMax } = request;
    const nextNo = this.#tables.nextSegmentNo();
    const heldFrom = (no: number) =>
      segments.find(({ segmentNo }) => segmentNo >= no)?.segmentNo ?? nextNo;
    const headers: BatchHeader[] = [];
    let byteLength = 0;
    const known = this.#placeOf(shard, after);
    let place = known ?? { segmentNo: heldFrom(0), sequence: 0 };
    let resumedAt = known === null ? place.segmentNo : null;
    while (place.segmentNo < nextNo) {
      const { segmentNo, sequence } = place;
      const segment = segments.find((one) => one.segmentNo === segmentNo);
      if (segment === undefined) {
        const lastNo = this.#tables.lastReleasedRowNo(segmentNo, tableId);
        const isMissed = lastNo === null || (lastNo > 0 && lastNo >= sequence);
        // A gap is told before the batches behind it: those before it are an answer of their own.
        if (isMissed && headers.length > 0) return { headers, place, isCut: true, resumedAt };
        place = { segmentNo: isMissed ? heldFrom(segmentNo) : segmentNo + 1, sequence: 0 };
        if (isMissed) resumedAt = place.segmentNo;
        continue;
      }
      for (const header of this.#headers(shard, segmentNo, tableId, sequence)) {
        byteLength += header.byteLength;
        if (headers.length > 0 && byteLength > bytesMax) {
          place = { segmentNo, sequence: header.sequence };
          return { headers, place, isCut: true, resumedAt };
        }
        headers.push(header);
      }
      if (segment.isOpen === 1) {
        place = { segmentNo, sequence: this.#tables.lastRowNo(segmentNo) + 1 };
        break;
      }
      place = { segmentNo: segmentNo + 1, sequence: 0 };
    }
    return { headers, place, isCut: false, resumedAt };
  }

  /** null: no place in this log, as of another database or from before a restored copy. */
  #placeOf(shard: number, { segmentId, sequence }: LogPosition): Place | null {
    const { segmentNo, ...id } = parseSegmentId(segmentId);
    const end = this.#end();
    const isBehindEnd =
      segmentNo > end.segmentNo || (segmentNo === end.segmentNo && sequence > end.sequence);
    const isOurs = id.shard === shard && id.epoch === this.#epoch();
    return isOurs && !isBehindEnd ? { segmentNo, sequence } : null;
  }

  #end(): Place {
    const open = this.#tables.followableSegments().find(({ isOpen }) => isOpen === 1);
    if (open === undefined) return { segmentNo: this.#tables.nextSegmentNo(), sequence: 0 };
    return { segmentNo: open.segmentNo, sequence: this.#tables.lastRowNo(open.segmentNo) + 1 };
  }

  #findEnd({ tableId, measurement }: FollowRequest, isMore: boolean): FollowEnd | null {
    const name = this.#gate.changedName(tableId);
    if (name === null) return { reason: "measurement_dropped" };
    if (name === undefined || name === measurement || isMore) return null;
    return { reason: "measurement_renamed", name };
  }

  #headers(shard: number, segmentNo: number, tableId: number, fromRowNo: number): BatchHeader[] {
    const segmentId = this.#segmentId(shard, segmentNo);
    return this.#tables.headersFrom(segmentNo, segmentId, tableId, fromRowNo);
  }

  #position(shard: number, { segmentNo, sequence }: Place, atMs: number): LogPosition {
    return { segmentId: this.#segmentId(shard, segmentNo), sequence, rows: 0, atMs };
  }

  #segmentId(shard: number, segmentNo: number): string {
    return formatSegmentId({ shard, epoch: this.#epoch(), segmentNo });
  }

  #epoch(): number {
    return this.#buffer.identity()?.epoch ?? 1;
  }
}
