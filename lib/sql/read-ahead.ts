// The bytes of a query's files: fetched before they are asked for, within a window of memory.
//
// Files are taken in order: footer first, then what the plan wants of it, a few requests at a time.
// What the engine has read to its end makes room for what comes next. A read that nobody planned,
// or of what had to make room, is fetched when it is asked for; so the plan decides about speed
// alone.
// Next: lib/sql/results/writer.ts.

import { assert } from "#lib/base/assert.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { FetchRange } from "#lib/base/ports.ts";
import type { SnapshotFile } from "#lib/catalog/types.ts";
import type { FileSource } from "./engine.ts";
import type { ReadCost } from "./types.ts";
import { type ByteRange, footerRange, pageStart, planRanges, type ReadWish } from "./read-plan.ts";

/** Ranges of files that were read before. It may forget any of them, and it never fails. */
export interface RangeCache {
  find(file: SnapshotFile, offset: number, byteLength: number): Promise<Uint8Array | null>;
  keep(file: SnapshotFile, offset: number, bytes: Uint8Array): void;
}

export interface ReadPorts {
  readonly fetchRange: FetchRange;
  readonly rangeCache: RangeCache;
}

interface Piece extends ByteRange {
  readonly file: SnapshotFile;
  content: Uint8Array | Promise<Uint8Array> | null;
  /** The engine has seen its last byte, and will hardly come back. */
  isRead: boolean;
}

interface PlannedFile {
  readonly file: SnapshotFile;
  readonly wish: ReadWish;
  /** By start, none overlapping. */
  readonly pieces: Piece[];
}

export class ReadAhead {
  readonly #ports: ReadPorts;
  readonly #bytesMax: number;
  readonly #files: PlannedFile[] = [];
  /** Wanted pieces, in the order in which they will be read. */
  readonly #queue: Piece[] = [];
  /** Those with content, the longest unused first. */
  readonly #resident = new Set<Piece>();
  #residentBytes = 0;
  #inFlight = 0;
  #nextFile = 0;
  #isClosed = false;
  readonly cost: ReadCost = {
    filesRead: 0,
    rowGroupsConsidered: 0,
    rowGroupsPruned: 0,
    bytesRead: 0,
    bytesFromCache: 0,
    rangesRead: 0,
    rangesFromCache: 0,
  };

  /** Holds at most `bytesMax` of files, but for single ranges that are larger. */
  constructor(ports: ReadPorts, bytesMax: number = LIMITS.readAheadBytesMax) {
    this.#ports = ports;
    this.#bytesMax = bytesMax;
  }

  /** A source for the engine. All files are added before the first read. */
  add(file: SnapshotFile, wish: ReadWish): FileSource {
    const planned: PlannedFile = { file, wish, pieces: [] };
    this.#files.push(planned);
    return {
      byteLength: file.byteLength,
      read: (offset, byteLength) => this.#read(planned, offset, byteLength),
    };
  }

  start(): void {
    this.#pump();
  }

  /** No further request is sent. */
  close(): void {
    this.#isClosed = true;
    this.#resident.clear();
  }

  #read(
    planned: PlannedFile,
    offset: number,
    byteLength: number,
  ): Uint8Array | Promise<Uint8Array> {
    const piece = this.#pieceAt(planned, offset, offset + byteLength);
    const take = (bytes: Uint8Array): Uint8Array => {
      this.#touch(piece, offset + byteLength >= piece.end);
      const at = offset - piece.start;
      return bytes.subarray(at, at + byteLength);
    };
    const content = piece.content ?? this.#load(piece);
    return content instanceof Uint8Array ? take(content) : content.then(take);
  }

  #touch(piece: Piece, isAtEnd: boolean): void {
    if (!this.#resident.delete(piece)) return;
    this.#resident.add(piece);
    if (!isAtEnd || piece.isRead) return;
    piece.isRead = true;
    this.#pump();
  }

  /** The piece with these bytes; one is made where nothing was planned. */
  #pieceAt({ file, pieces }: PlannedFile, start: number, end: number): Piece {
    const after = pieces.findIndex((piece) => piece.start > start);
    const next = after === -1 ? pieces.length : after;
    const before = pieces[next - 1];
    if (before !== undefined && end <= before.end) return before;
    const from = Math.max(
      pageStart(start),
      before !== undefined && before.end <= start ? before.end : 0,
    );
    const limit = pieces[next]?.start ?? file.byteLength;
    // Whoever reads on where nothing is planned gets twice as much each time.
    const isReadingOn = before !== undefined && before.end === from;
    const byteLength = isReadingOn ? 2 * (before.end - before.start) : 0;
    const ahead = Math.min(from + byteLength, from + LIMITS.readMissBytesMax, limit);
    const piece = newPiece(file, { start: from, end: Math.max(end, ahead) });
    pieces.splice(next, 0, piece);
    return piece;
  }

  #pump(): void {
    while (!this.#isClosed && this.#inFlight < LIMITS.connectionsMax) {
      const piece = this.#queue[0];
      if (piece !== undefined) {
        if (!this.#makeRoom(piece.end - piece.start)) return;
        this.#queue.shift();
        if (piece.content === null) void this.#load(piece).catch(ignore);
      } else if (this.#nextFile < this.#files.length) {
        const planned = this.#files[this.#nextFile]!;
        if (!this.#makeRoom(planned.file.footerByteLength)) return;
        this.#nextFile++;
        void this.#plan(planned).catch(ignore);
      } else {
        return;
      }
    }
  }

  async #plan(planned: PlannedFile): Promise<void> {
    const { file, wish, pieces } = planned;
    const range = footerRange(file.byteLength, file.footerByteLength);
    const footer = this.#pieceAt(planned, range.start, range.end);
    this.cost.filesRead++;
    const bytes = await (footer.content ?? this.#load(footer));
    // Who only counts rows reads no column.
    if (wish.columnNames?.size === 0) return this.#pump();
    const plan = planRanges(bytes, file.byteLength, wish);
    this.cost.rowGroupsConsidered += plan.rowGroupCount;
    this.cost.rowGroupsPruned += plan.prunedRowGroupCount;
    for (const wanted of plan.ranges) {
      // Pieces that a read has made meanwhile stay; what they hold is fetched once.
      const piece = newPiece(file, {
        start: wanted.start,
        end: Math.min(wanted.end, footer.start),
      });
      const overlaps = pieces.some((other) => other.start < piece.end && piece.start < other.end);
      if (overlaps || piece.start >= piece.end) continue;
      pieces.push(piece);
      this.#queue.push(piece);
    }
    pieces.sort((a, b) => a.start - b.start);
    this.#pump();
  }

  async #load(piece: Piece): Promise<Uint8Array> {
    const byteLength = piece.end - piece.start;
    this.#makeRoom(byteLength, true);
    this.#inFlight++;
    this.#residentBytes += byteLength;
    const loading = this.#obtain(piece, byteLength);
    piece.content = loading;
    try {
      const bytes = await loading;
      piece.content = bytes;
      piece.isRead = false;
      this.#resident.add(piece);
      return bytes;
    } catch (error) {
      piece.content = null;
      this.#residentBytes -= byteLength;
      throw error;
    } finally {
      this.#inFlight--;
      this.#pump();
    }
  }

  async #obtain({ file, start }: Piece, byteLength: number): Promise<Uint8Array> {
    const { fetchRange, rangeCache } = this.#ports;
    const known = await rangeCache.find(file, start, byteLength);
    assert(!this.#isClosed, "a query that has ended reads nothing");
    if (known !== null) {
      this.cost.bytesFromCache += byteLength;
      this.cost.rangesFromCache++;
      return known;
    }
    const bytes = await fetchRange(file.key, start, byteLength);
    this.cost.bytesRead += byteLength;
    this.cost.rangesRead++;
    rangeCache.keep(file, start, bytes);
    return bytes;
  }

  /** Drops pieces that were read; if it must be, others too. False: there is still no room. */
  #makeRoom(byteLength: number, mustBe = false): boolean {
    for (const piece of this.#resident) {
      if (this.#residentBytes + byteLength <= this.#bytesMax) break;
      if (!piece.isRead && !mustBe) continue;
      this.#resident.delete(piece);
      this.#residentBytes -= piece.end - piece.start;
      piece.content = null;
    }
    return this.#residentBytes + byteLength <= this.#bytesMax;
  }
}

function newPiece(file: SnapshotFile, { start, end }: ByteRange): Piece {
  return { file, start, end, content: null, isRead: false };
}

/** A read ahead that failed is tried again by the read itself, which then tells of it. */
function ignore(): void {}
