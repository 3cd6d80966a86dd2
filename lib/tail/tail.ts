// A live tail: the rows of one measurement as Server-Sent Events, as they are acknowledged.
//
// Each shard of the buffer is asked for what comes behind the place where the tail is, and asked
// again when that is written out. Nothing is asked for while the client does not read: a slow
// client falls behind in the log, and when the log has let go of what it had not read, it is told
// so (`gap`) and goes on with what is left. Rows are in order per shard.
//
// The id of every message is the place behind it. Heartbeats have one, too, so that a client who
// comes again does not begin at a place that the log has long left behind.
//
// Buffers: lib/buffer/follow.ts. Format of the messages: docs/protocol.md.

import { type ErrorCode, errorKind, isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { formatSegmentId } from "#lib/buffer/segment-id.ts";
import type { BatchHeader, Followed, FollowEnd, FollowRequest } from "#lib/buffer/types.ts";
import type { FollowStart, LogPosition } from "#lib/buffer/types.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { sseMessage, sseRetry, SSE_HEARTBEAT } from "#lib/http/sse.ts";
import { decompressBody } from "#lib/protocol/compression.ts";
import { formatTailPosition, parseTailPosition } from "./position.ts";
import { outgrows, type RowText, rowTexts } from "./row-texts.ts";
import { type RowView, type RowWishes, viewRows } from "./row-view.ts";
import { startOfLastRows } from "./start.ts";

export interface TailPorts {
  startFollowing(shard: number, tableId: number, rows: number): Promise<FollowStart>;
  follow(request: FollowRequest): Promise<Followed>;
  /** By id: under the name there may be another table by now. null: it was dropped. */
  findSchema(tableId: number): Promise<TableSchema | null>;
  /** Throws when the client may not read the database any more. */
  demandAccess(): Promise<void>;
  sleep(ms: number): Promise<void>;
}

export interface TailSpec extends RowWishes {
  readonly databaseId: number;
  readonly shardCount: number;
  readonly schema: TableSchema;
  /** null: the client comes for the first time. */
  readonly lastEventId: string | null;
  /** To start with so many of the last rows; of those that come for the first time. */
  readonly rows: number;
  readonly heartbeatMs: number;
}

interface ShardAnswer {
  readonly shard: number;
  readonly followed: Followed;
}

type News = "beat" | ShardAnswer | { readonly failure: unknown };

const RETRY_MS = 1_000;
const CHUNK_CHARS = 64_000;
const PAUSE_AFTER_FAILURE_MS = 500;

export class Tail {
  readonly #ports: TailPorts;
  readonly #spec: TailSpec;
  #schema: TableSchema;
  #view: RowView;
  #places: LogPosition[];
  #news: News[] = [];
  #bell = Promise.withResolvers<void>();
  #callCount = 0;
  #isGone = false;

  /** Throws `parameter_invalid`. */
  static async open(ports: TailPorts, spec: TailSpec): Promise<Tail> {
    const view = viewRows(spec.schema, spec);
    return new Tail(ports, spec, view, await startPlaces(ports, spec));
  }

  private constructor(ports: TailPorts, spec: TailSpec, view: RowView, places: LogPosition[]) {
    this.#ports = ports;
    this.#spec = spec;
    this.#schema = spec.schema;
    this.#view = view;
    this.#places = places;
  }

  /** The client is gone: `messages` ends. */
  leave(): void {
    this.#isGone = true;
    this.#bell.resolve();
  }

  /** Text to be sent as it comes; the next is not worked on before it is asked for. */
  async *messages(): AsyncGenerator<string> {
    yield sseRetry(RETRY_MS) + sseMessage({ id: this.#id() });
    try {
      yield* this.#liveMessages();
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      yield endMessage(error.code, error.message);
    }
  }

  async *#liveMessages(): AsyncGenerator<string> {
    const open = new Set(this.#places.keys());
    for (const shard of open) void this.#ask(shard, 0);
    void this.#beat();
    for (;;) {
      const news = await this.#nextNews();
      if (news === null) return;
      if (news === "beat") {
        await this.#checkAccess();
        yield SSE_HEARTBEAT + sseMessage({ id: this.#id() });
        void this.#beat();
        continue;
      }
      if ("failure" in news) throw news.failure;
      const { shard, followed } = news;
      yield* this.#answerMessages(shard, followed);
      if (followed.end !== null) open.delete(shard);
      if (open.size === 0) return yield farewell(this.#schema.measurement, followed.end!);
      // The client comes again with its last id: what a platform allows one request has an end.
      if (this.#callCount >= LIMITS.tailCallsMax) return;
      if (followed.end === null) void this.#ask(shard, followed.restMs);
    }
  }

  /** null: the client is gone. */
  async #nextNews(): Promise<News | null> {
    while (this.#news.length === 0 && !this.#isGone) await this.#bell.promise;
    this.#bell = Promise.withResolvers<void>();
    return this.#isGone ? null : this.#news.shift()!;
  }

  #tell(news: News): void {
    this.#news.push(news);
    this.#bell.resolve();
  }

  async #beat(): Promise<void> {
    await this.#ports.sleep(this.#spec.heartbeatMs);
    this.#tell("beat");
  }

  /** A token may be revoked, or expire, while its client listens. */
  async #checkAccess(): Promise<void> {
    try {
      await this.#ports.demandAccess();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
  }

  /** Never rejects: what comes of it is news. */
  async #ask(shard: number, restMs: number): Promise<void> {
    try {
      if (restMs > 0) await this.#ports.sleep(restMs);
      this.#tell({ shard, followed: await this.#follow(shard) });
    } catch (failure) {
      this.#tell({ failure });
    }
  }

  /** A buffer that was reset is back in a moment, and knows the place as well as before. */
  async #follow(shard: number): Promise<Followed> {
    const { tableId, measurement } = this.#schema;
    const request = {
      shard,
      tableId,
      measurement,
      after: this.#places[shard]!,
      bytesMax: LIMITS.tailAnswerBytesMax,
      waitMs: LIMITS.tailWaitMs,
    };
    for (let tries = 1; ; tries++) {
      try {
        this.#callCount += 1;
        return await this.#ports.follow(request);
      } catch (error) {
        if (!isUnavailable(error) || tries === LIMITS.tailTriesMax || this.#isGone) throw error;
      }
      await this.#ports.sleep(PAUSE_AFTER_FAILURE_MS);
    }
  }

  async *#answerMessages(shard: number, followed: Followed): AsyncGenerator<string> {
    const { gap, run, position } = followed;
    let text = gap === null ? "" : releasedMessage(gap);
    for (const [at, header] of run.headers.entries()) {
      for await (const part of this.#batchMessages(shard, header, run.bodies[at]!)) {
        text += part;
        if (text.length < CHUNK_CHARS) continue;
        yield text;
        text = "";
      }
    }
    if (text !== "") yield text;
    this.#places[shard] = position;
  }

  async *#batchMessages(
    shard: number,
    header: BatchHeader,
    body: Uint8Array,
  ): AsyncGenerator<string> {
    const { segmentId, sequence, rowCount, receivedUs } = header;
    const from = this.#places[shard]!;
    const isBegun = from.segmentId === segmentId && from.sequence === sequence;
    const atMs = Math.ceil(receivedUs / 1_000);
    const placeBehind = (rows: number): LogPosition =>
      rows === rowCount
        ? { segmentId, sequence: sequence + 1, rows: 0, atMs }
        : { segmentId, sequence, rows, atMs };
    try {
      let text = "";
      for await (const piece of this.#pieces(header, body, isBegun ? from.rows : 0)) {
        for (const { row, json } of piece) {
          this.#places[shard] = placeBehind(row + 1);
          text += sseMessage({ id: this.#id(), data: json });
          if (text.length < CHUNK_CHARS) continue;
          yield text;
          text = "";
        }
      }
      if (text !== "") yield text;
      this.#places[shard] = placeBehind(rowCount);
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      const reason = UNSHOWN.get(error.code);
      if (reason === undefined) throw error;
      this.#places[shard] = placeBehind(rowCount);
      const times = { fromMs: atMs, toMs: atMs };
      yield gapMessage({ reason, rows: rowCount, ...times, message: error.message }, this.#id());
    }
  }

  async *#pieces(
    header: BatchHeader,
    body: Uint8Array,
    fromRow: number,
  ): AsyncGenerator<RowText[]> {
    const bytes = decompressBody(body, null);
    if (bytes.byteLength > LIMITS.tailBatchBytesMax) throw tooLarge(header, bytes.byteLength);
    if (outgrows(this.#schema, bytes)) await this.#renewSchema();
    let pieces = rowTexts(this.#view, header, body, fromRow);
    let first: IteratorResult<RowText[]>;
    try {
      first = pieces.next();
    } catch (error) {
      if (!isSluiceError(error) || error.code !== "segment_corrupt") throw error;
      // Perhaps it is only that a column has widened since.
      await this.#renewSchema();
      pieces = rowTexts(this.#view, header, body, fromRow);
      first = pieces.next();
    }
    if (first.done !== true) yield first.value;
    yield* pieces;
  }

  async #renewSchema(): Promise<void> {
    const { tableId, measurement } = this.#schema;
    const schema = await this.#ports.findSchema(tableId);
    // Gone: the buffers are about to say so, in words of their own.
    if (schema === null) return;
    this.#schema = { ...schema, measurement };
    this.#view = viewRows(schema, this.#spec);
  }

  #id(): string {
    return formatTailPosition({ databaseId: this.#spec.databaseId, shards: this.#places });
  }
}

/** Why a batch is announced and not shown. */
const UNSHOWN: ReadonlyMap<ErrorCode, string> = new Map([
  ["batch_too_large", "batch_too_large"],
  ["segment_corrupt", "batch_unreadable"],
]);

async function startPlaces(ports: TailPorts, spec: TailSpec): Promise<LogPosition[]> {
  const { databaseId, shardCount, schema, lastEventId, rows } = spec;
  if (lastEventId === null) {
    const numbers = Array.from({ length: shardCount }, (_, shard) => shard);
    const starts = await Promise.all(
      numbers.map((shard) => ports.startFollowing(shard, schema.tableId, rows)),
    );
    return startOfLastRows(starts, rows);
  }
  const position = parseTailPosition(lastEventId, shardCount);
  if (position.databaseId === databaseId) return [...position.shards];
  return position.shards.map((place, shard) => ({
    ...place,
    segmentId: formatSegmentId({ shard, epoch: 0, segmentNo: 0 }),
  }));
}

function isUnavailable(error: unknown): boolean {
  return isSluiceError(error) && errorKind(error.code) === "unavailable";
}

function tooLarge({ rowCount }: BatchHeader, byteLength: number): SluiceError {
  const limit = LIMITS.tailBatchBytesMax;
  const message =
    `a batch of ${rowCount} rows has ${byteLength} bytes, and a tail shows up to ${limit} at ` +
    "once; its rows are to be found with SQL";
  return new SluiceError("batch_too_large", message, { limit });
}

interface Gap {
  readonly reason: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly rows?: number;
  readonly message: string;
}

function releasedMessage(times: Pick<Gap, "fromMs" | "toMs">): string {
  const message =
    "rows were released from the log before they could be shown here; those acknowledged " +
    "from one moment to the other are to be found with SQL";
  return gapMessage({ reason: "released", ...times, message });
}

function gapMessage({ fromMs, toMs, ...rest }: Gap, id?: string): string {
  const times = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
  const data = JSON.stringify({ ...rest, ...times });
  return sseMessage({ ...(id === undefined ? {} : { id }), event: "gap", data });
}

function farewell(measurement: string, end: FollowEnd): string {
  switch (end.reason) {
    case "measurement_dropped":
      return endMessage(end.reason, `measurement "${measurement}" was dropped`);
    case "database_dropped":
      return endMessage(end.reason, "the database was dropped");
    case "measurement_renamed":
      return endMessage(end.reason, `measurement "${measurement}" is "${end.name}" now`, {
        measurement: end.name,
      });
  }
}

function endMessage(code: string, message: string, more: Record<string, string> = {}): string {
  return sseMessage({ event: "end", data: JSON.stringify({ code, message, ...more }) });
}
