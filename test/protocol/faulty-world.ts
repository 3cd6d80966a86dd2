// One database's whole protocol in one process: real buffer, catalog and segment writer over stores
// in memory, with a queue that loses, repeats and reorders, calls that fail before or after their
// work, and crashes that throw away everything but the stores. All of it drawn from one seed.

import { encode } from "@msgpack/msgpack";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { isRefusal, SluiceError, type Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { BufferCore } from "#lib/buffer/buffer.ts";
import type { FlushHint, TailRequest } from "#lib/buffer/types.ts";
import { CatalogCore } from "#lib/catalog/catalog.ts";
import { TableChanges } from "#lib/catalog/table-changes.ts";
import { ANY_ROW } from "#lib/catalog/row-predicate.ts";
import type { SnapshotRequest } from "#lib/catalog/types.ts";
import { writeSegment } from "#lib/flush/write-segment.ts";
import { type BatchScan, scanBatch } from "#lib/protocol/scan-batch.ts";
import { readConsistently } from "#lib/sql/consistent-read.ts";
import { ManualAlarm, ManualClock, MemoryLake, MemorySqlStore } from "../helpers/memory-world.ts";

/** Thrown where the process dies; nothing above may catch it but the world itself. */
class Crash extends Error {}

export interface Faults {
  /** Probabilities, per call. */
  readonly crash: number;
  readonly failBefore: number;
  readonly failAfter: number;
  readonly loseHint: number;
  readonly repeatHint: number;
  /** A call takes so long that garbage is collected meanwhile. */
  readonly stall: number;
}

export const NO_FAULTS: Faults = {
  crash: 0,
  failBefore: 0,
  failAfter: 0,
  loseHint: 0,
  repeatHint: 0,
  stall: 0,
};

export const MEASUREMENT = "events";
const DATABASE = { name: "default", shardCount: 1 };
const EVERYTHING = { minMs: null, maxMs: null };

export class FaultyWorld {
  readonly clock = new ManualClock();
  readonly lake = new MemoryLake(this.clock);
  readonly #alarm = new ManualAlarm();
  readonly #bufferStore = new MemorySqlStore();
  readonly #catalogStore = new MemorySqlStore();
  readonly #random: () => number;
  faults: Faults;
  #hints: FlushHint[] = [];
  #buffer!: BufferCore;
  #catalog!: CatalogCore;
  #changes!: TableChanges;
  /** What a writer took for the table of a name, perhaps long ago. */
  readonly #writersIds = new Map<string, number>();
  readonly #readersIds = new Map<string, number>();
  /** What happened how often, so that a test can see that its faults were met. */
  readonly seen = {
    crashes: 0,
    failures: 0,
    hintsLost: 0,
    hintsRepeated: 0,
    duplicates: 0,
    stalls: 0,
    staleAppends: 0,
  };

  constructor(random: () => number, faults: Faults) {
    this.#random = random;
    this.faults = faults;
    this.#restart();
  }

  /** One try to store a batch; true when the client got its ack. */
  async append(id: number, rowCount: number): Promise<boolean> {
    return await this.#survive(async () => {
      const nowMs = this.clock.nowMs();
      const time = Array.from(
        { length: rowCount },
        (_, i) => nowMs - Math.floor(id % 3) * 86_400_000 + i,
      );
      const columns = { time, id: time.map(() => id), rows: time.map(() => rowCount) };
      const bytes = encode({ m: MEASUREMENT, columns });
      const scan = scanBatch(bytes);
      try {
        await this.#append(id, scan, bytes);
      } catch (error) {
        if (!(error instanceof SluiceError) || error.code !== "schema_stale") throw error;
        this.seen.staleAppends++;
        this.#writersIds.delete(MEASUREMENT);
        await this.#append(id, scan, bytes);
      }
    });
  }

  async #append(id: number, scan: BatchScan, bytes: Uint8Array): Promise<void> {
    const { rowCount } = scan;
    const { timeMinMs, timeMaxMs } = scan.time!;
    const tableId =
      this.#writersIds.get(MEASUREMENT) ??
      unwrap(this.#catalog.extendSchema(1, MEASUREMENT, scan.columns)).tableId;
    this.#writersIds.set(MEASUREMENT, tableId);
    const receivedUs = this.clock.nowMs() * 1_000;
    const batch = { tableId, measurement: MEASUREMENT, rowCount, timeMinMs, timeMaxMs };
    const request = {
      databaseId: 1,
      shard: 0,
      requestId: `r${id}`,
      traceparent: null,
      idempotencyKey: `k${id}`,
      bodySha256: `h${id}`,
      batches: [{ ...batch, receivedUs, bytes }],
    };
    const receipt = unwrap(await this.#call(() => this.#buffer.append(request)));
    if (receipt.isDuplicate) this.seen.duplicates++;
  }

  /** True when the drop was answered. */
  async drop(): Promise<boolean> {
    return await this.#survive(async () => void (await this.#changes.drop(MEASUREMENT, DATABASE)));
  }

  async rename(newName: string): Promise<boolean> {
    return await this.#survive(() => this.#changes.rename(MEASUREMENT, newName, DATABASE));
  }

  /** What the catalog's alarm does. True: no change is left in the middle. */
  async finishChanges(): Promise<boolean> {
    return await this.#survive(async () => void (await this.#changes.finishAll()));
  }

  get measurements(): string[] {
    return this.#catalog.listTables().map(({ measurement }) => measurement);
  }

  /** The queue hands one hint, any, to a writer. */
  async deliverHint(): Promise<void> {
    if (this.#hints.length === 0) return;
    const at = Math.floor(this.#random() * this.#hints.length);
    const hint = this.#hints[at]!;
    if (this.#random() < this.faults.repeatHint) this.seen.hintsRepeated++;
    else this.#hints.splice(at, 1);
    await this.#survive(() => this.#flush(hint));
  }

  async ringAlarm(): Promise<void> {
    if (this.#alarm.takeIfDue(this.clock.nowMs()))
      await this.#survive(() => this.#buffer.onAlarm());
  }

  async collectGarbage(): Promise<void> {
    await this.#survive(async () => void (await this.#catalog.collectGarbage()));
  }

  /** Rows per batch id as one query sees them; `meanwhile` happens between tail and snapshot. */
  async query(
    meanwhile: () => Promise<void> = async () => {},
    measurement = MEASUREMENT,
  ): Promise<Map<number, number>> {
    const reader = {
      readTails: async (request: TailRequest) => [this.#buffer.readTail(request)],
      snapshot: async (request: SnapshotRequest) => {
        await meanwhile();
        return this.#catalog.snapshot(request);
      },
      flush: async () => {},
      listTables: async () => this.#catalog.listTables(),
      tableIds: this.#readersIds,
    };
    const wanted = [{ measurement, time: EVERYTHING, where: ANY_ROW }];
    const [table] = (await readConsistently(reader, wanted)).tables;
    const rows = new Map<number, number>();
    const add = (id: number, count: number) => void rows.set(id, (rows.get(id) ?? 0) + count);
    for (const { header } of table?.tail ?? []) {
      add(Number(header.requestId.slice(1)), header.rowCount);
    }
    for (const { key } of table?.files ?? []) {
      for (const id of await this.#idsIn(key)) add(id, 1);
    }
    return rows;
  }

  get unflushedRows(): number {
    return this.#buffer.segments.status().rowCount;
  }

  /** Keys in the lake that the catalog does not name. */
  orphans(): string[] {
    const tables = this.measurements.map((measurement) => {
      return { measurement, time: EVERYTHING, where: ANY_ROW };
    });
    const snapshot = this.#catalog.snapshot({ tables, tailSegmentIds: [] });
    const named = new Set(snapshot.tables.flatMap((one) => one!.files.map(({ key }) => key)));
    return [...this.lake.objects.keys()].filter((key) => !named.has(key));
  }

  async #idsIn(key: string): Promise<number[]> {
    const { bytes } = this.lake.objects.get(key)!;
    const file = bytes.slice().buffer;
    const rows = await parquetReadObjects({ file, compressors, columns: ["id"] });
    return rows.map((row) => Number(row["id"]));
  }

  /** The parquet-writer's part, with a fault possible at every call it makes. */
  async #flush({ segmentId }: FlushHint): Promise<void> {
    const segment = await this.#call(async () => this.#buffer.segments.readSegment(segmentId));
    if (segment === null) return;
    const lake = {
      head: (key: string) => this.lake.head(key),
      list: this.lake.list,
      remove: this.lake.remove,
      createInParts: (key: string) => this.lake.createInParts(key),
      putIfAbsent: (key: string, bytes: Uint8Array, sha256: string) =>
        this.#call(() => this.lake.putIfAbsent(key, bytes, sha256)),
    };
    await writeSegment(1, segment, {
      schemas: async (tableIds) => this.#catalog.schemas(tableIds),
      commit: (request) => this.#call(async () => unwrap(this.#catalog.commit(1, request))),
      lake,
    });
    await this.#call(async () => this.#buffer.segments.release(segmentId));
  }

  /** Before or after the work, or instead of it: this is where faults come from. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    this.#maybeFail(this.faults.failBefore);
    const result = await work();
    if (this.#random() < this.faults.stall) {
      this.seen.stalls++;
      this.clock.advance(LIMITS.orphanGraceMs + 1);
      await this.#catalog.collectGarbage();
    }
    this.#maybeFail(this.faults.failAfter);
    return result;
  }

  #maybeFail(probability: number): void {
    if (this.#random() < this.faults.crash) throw new Crash();
    if (this.#random() >= probability) return;
    this.seen.failures++;
    throw new SluiceError("store_unavailable", "planted");
  }

  /** True when the work was done; after a crash the world goes on with what was stored. */
  async #survive(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof Crash) {
        this.seen.crashes++;
        this.#restart();
        return false;
      }
      if (error instanceof SluiceError) return false;
      throw error;
    }
  }

  #restart(): void {
    // A local queue may live in memory: its hints die with the process.
    this.#hints = [];
    const ports = {
      store: this.#bufferStore,
      clock: this.clock,
      alarm: this.#alarm,
      sendHint: async (hint: FlushHint) => {
        if (this.#random() < this.faults.loseHint) this.seen.hintsLost++;
        else this.#hints.push(hint);
      },
      flushHere: (hint: FlushHint) => this.#flush(hint),
      sleep: () => new Promise<void>(() => {}),
      report: () => {},
    };
    this.#buffer = new BufferCore(ports, { sealBytes: 400, sealAfterMs: 60_000 });
    const { clock, lake } = this;
    this.#catalog = new CatalogCore({ store: this.#catalogStore, clock, lake });
    this.#changes = new TableChanges({
      store: this.#catalogStore,
      clock,
      archive: { note: () => {} },
      nameTable: (_, { tableId, newName, changeNo }) =>
        this.#call(() => this.#buffer.nameTable(tableId, newName, changeNo)),
      bufferedRows: (_, tableId) => this.#call(async () => this.#buffer.rowsOfTable(tableId)),
    });
  }
}

function unwrap<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new SluiceError(answer.refused, answer.message, answer.detail);
  return answer;
}
