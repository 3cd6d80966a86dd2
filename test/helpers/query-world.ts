// A database with a tail and files, real from the catalog to the Parquet bytes, and the query
// Worker's code over it. Only the Durable Objects and R2 are missing, and HTTP.

import { gzipSync } from "node:zlib";
import { encode } from "@msgpack/msgpack";
import { isRefusal, SluiceError } from "#lib/base/errors.ts";
import type { BatchHeader } from "#lib/buffer/types.ts";
import { CatalogCore } from "#lib/catalog/catalog.ts";
import { meets } from "#lib/catalog/prune.ts";
import { writeSegment } from "#lib/flush/write-segment.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { writeParquet } from "#lib/parquet/write-file.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { TableBuilder } from "#lib/protocol/table-builder.ts";
import type { DatabaseReader } from "#lib/sql/consistent-read.ts";
import type { QueryPorts, QueryProgress } from "../../workers/query/run-query.ts";
import type { EngineModules } from "#platform/duckdb/instance.ts";
import type { EngineHold, SqlEngine } from "#lib/sql/engine.ts";
import { leasedReads } from "#lib/sql/leased-reads.ts";
import type { ResultFormat, ResultOptions } from "#lib/sql/results/format.ts";
import type { QueryParams, QueryRequest, SqlQuestion } from "#lib/sql/types.ts";
import { ManualClock, MemoryLake, MemorySqlStore } from "./memory-world.ts";

export type Columns = Record<string, unknown[]>;

export class QueryDatabase implements DatabaseReader {
  readonly #databaseId: number;
  readonly #lake: MemoryLake;
  readonly store = new MemorySqlStore();
  readonly catalog: CatalogCore;
  /** Batches that are not released yet, committed or not. */
  #tail: { header: BatchHeader; body: Uint8Array }[] = [];
  #segments = 1;
  #sequence = 0;
  flushes = 0;
  readonly tableIds = new Map<string, number>();

  constructor(databaseId: number, lake: MemoryLake, clock: ManualClock) {
    this.#databaseId = databaseId;
    this.#lake = lake;
    this.catalog = new CatalogCore({ store: this.store, clock, lake });
  }

  append(measurement: string, columns: Columns): void {
    const bytes = encode({ m: measurement, columns }, { useBigInt64: true });
    const scan = scanBatch(bytes);
    const schema = this.catalog.extendSchema(this.#databaseId, measurement, scan.columns);
    if (isRefusal(schema)) throw new Error(schema.message);
    const body = gzipSync(bytes);
    const header = {
      segmentId: `0.${this.#segments}.1`,
      sequence: ++this.#sequence,
      requestId: "r",
      traceparent: null,
      tableId: schema.tableId,
      measurement,
      rowCount: scan.rowCount,
      timeMinMs: scan.time?.timeMinMs ?? 0,
      timeMaxMs: scan.time?.timeMaxMs ?? 0,
      receivedUs: 0,
      byteLength: body.byteLength,
    };
    this.#tail.push({ header, body });
  }

  /** The catalog has the rows and the buffer still has them, too. */
  async commit(): Promise<void> {
    const segmentId = `0.${this.#segments++}.1`;
    const batches = this.#tail.filter(({ header }) => header.segmentId === segmentId);
    const headers = batches.map(({ header }) => header);
    const run = { headers, bodies: batches.map(({ body }) => body) };
    await writeSegment(
      this.#databaseId,
      { segmentId, run },
      {
        schemas: async (tableIds) => this.catalog.schemas(tableIds),
        commit: async (request) => {
          const result = this.catalog.commit(this.#databaseId, request);
          if (isRefusal(result)) throw new Error(result.message);
          return result;
        },
        lake: this.#lake,
      },
    );
  }

  async flush(): Promise<void> {
    this.flushes++;
    await this.commit();
    this.#tail = [];
  }

  async readTails({ tables, bytesMax }: Parameters<DatabaseReader["readTails"]>[0]) {
    const batches = this.#tail.filter(({ header }) =>
      tables.some((one) => one.tableId === header.tableId && meets(header, one)),
    );
    const byteLength = batches.reduce((sum, { body }) => sum + body.byteLength, 0);
    const isOverBudget = byteLength > bytesMax;
    const segmentIds = [...new Set(batches.map(({ header }) => header.segmentId))];
    const taken = isOverBudget ? [] : batches;
    const headers = taken.map(({ header }) => header);
    return [{ segmentIds, isOverBudget, run: { headers, bodies: taken.map(({ body }) => body) } }];
  }

  snapshot = async (request: Parameters<DatabaseReader["snapshot"]>[0]) =>
    this.catalog.snapshot(request);

  listTables = async () => this.catalog.listTables();
}

export interface Answer {
  readonly status: number;
  readonly columns: string[];
  readonly data: unknown[][];
  readonly cost: Record<string, number>;
  readonly [key: string]: unknown;
}

/** All databases of one world share its lake. */
export class QueryWorld {
  readonly clock = new ManualClock(Date.now());
  readonly lake = new MemoryLake(this.clock);
  readonly databases = new Map<string, QueryDatabase>();
  /** Every read of the lake. */
  reads: { key: string; offset: number; byteLength: number }[] = [];
  /** So many of the next reads fail. */
  failReads = 0;
  /** A query fails after so many parts of its result; null: it does not. */
  failAfterParts: number | null = null;
  /** The queries that were begun, and how they ended. */
  readonly watched: { progress: QueryProgress; cancel: () => void }[] = [];
  readonly outcomes: string[] = [];
  #ports: QueryPorts | null = null;

  constructor(...names: string[]) {
    for (const [id, name] of names.entries()) {
      this.databases.set(name, new QueryDatabase(id + 1, this.lake, this.clock));
    }
  }

  /** What the query Worker would have. */
  get ports(): QueryPorts {
    return this.#ports!;
  }

  get(name = "default"): QueryDatabase {
    return this.databases.get(name)!;
  }

  async open(modules: EngineModules): Promise<void> {
    const { EnginePool } = await import("#platform/duckdb/engine-pool.ts");
    const engine = new EnginePool(modules);
    this.#connect((signal) => engine.acquire(signal));
  }

  /** With the engine of another world, which is quicker. */
  openLike(other: QueryWorld): void {
    this.#connect(other.#ports!.acquireEngine);
  }

  #connect(acquireEngine: QueryPorts["acquireEngine"]): void {
    this.#ports = {
      acquireEngine: async (signal) => {
        const hold = await acquireEngine(signal);
        return this.failAfterParts === null ? hold : this.#failing(hold, this.failAfterParts);
      },
      listDatabases: async () => [...this.databases.keys()],
      openDatabase: async (name) => this.databases.get(name) ?? null,
      fetchRange: leasedReads(
        async (key, offset, byteLength) => {
          this.reads.push({ key, offset, byteLength });
          await new Promise((resolve) => setTimeout(resolve, 0));
          if (this.failReads-- > 0) throw new SluiceError("store_unavailable", "no answer");
          if (!this.lake.objects.has(key)) throw new SluiceError("object_missing", "it is gone");
          return this.lake.read(key, offset, byteLength);
        },
        async (key) => [...this.databases.values()].some(({ catalog }) => catalog.isLive(key)),
      ),
      // None: every read of the lake is to be seen.
      rangeCache: { find: async () => null, keep: () => {} },
      nowMs: () => Date.now(),
      watch: (_request, progress, cancel) => {
        this.watched.push({ progress, cancel });
        return { end: (outcome) => void this.outcomes.push(outcome) };
      },
    };
  }

  #failing(hold: EngineHold, parts: number): EngineHold {
    const { engine } = hold;
    const run: SqlEngine["run"] = async function* (sql, files, signal) {
      let left = parts;
      for await (const part of engine.run(sql, files, signal)) {
        if (left-- === 0) throw new SluiceError("query_failed", "in the middle");
        yield part;
      }
    };
    return {
      ...hold,
      engine: { parse: (sql) => engine.parse(sql), print: (ast) => engine.print(ast), run },
    };
  }

  async query(sql: string, database: string | null = null, databases = ["*"]): Promise<Answer> {
    return answerOf(await this.respond(sql, database, databases));
  }

  respond(
    sql: string,
    database: string | null = null,
    databases = ["*"],
    abandoned = new AbortController().signal,
  ): Promise<Response> {
    return this.ask({ databases, database, question: sqlQuestion(sql) }, abandoned);
  }

  /** What is left out is as in most requests. */
  async ask(
    asked: Partial<QueryRequest> & Pick<QueryRequest, "question">,
    abandoned = new AbortController().signal,
  ): Promise<Response> {
    const { answerQuery } = await import("../../workers/query/answer.ts");
    const result = resultOptions("json");
    const ids = { requestId: "r-1", queryId: "q-1", tokenId: null };
    const from = { traceparent: "", isSystem: false };
    const request = { databases: ["*"], database: null, ...ids, ...from, result, ...asked };
    const report = (error: SluiceError) => {
      if (error.code === "bug") console.error(error.cause);
    };
    return answerQuery(request, this.#ports!, report, abandoned);
  }
}

export async function answerOf(response: Response): Promise<Answer> {
  const body = (await response.json()) as Answer;
  return { ...body, status: response.status };
}

export function sqlQuestion(sql: string, params: QueryParams = []): SqlQuestion {
  return { kind: "sql", sql, params, isEstimate: false };
}

export function resultOptions(
  format: ResultFormat,
  options: Partial<ResultOptions> = {},
): ResultOptions {
  return { format, areLongsQuoted: false, hasProfile: false, ...options };
}

/** Rows of one table as the writer of segments would store them. `time` is in milliseconds. */
export function parquetOf(types: Record<string, ColumnType>, columns: Columns): Uint8Array {
  const builder = new TableBuilder(Object.entries(types).map(([name, type]) => ({ name, type })));
  builder.append(encode({ m: "m", columns }, { useBigInt64: true }), 0);
  const table = builder.finish();
  return writeParquet(table, 0, table.rowCount, { keyValues: {} }).bytes;
}
