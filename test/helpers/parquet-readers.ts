// One Parquet file, read by three engines that have nothing in common with the writer or each
// other: DuckDB of today (native), DuckDB 0.9 as the query Worker runs it (wasm), and hyparquet.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { parquetMetadata, parquetRead } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Value } from "./random-batch.ts";

/** Per column its values in the order of the file. */
export type Content = ReadonlyMap<string, readonly Value[]>;

/** Native DuckDB with files in a folder of its own; `close` removes them. */
export class NativeDuckDb {
  readonly #connection: DuckDBConnection;
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-parquet-"));
  #fileCount = 0;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async open(): Promise<NativeDuckDb> {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run("SET TimeZone = 'UTC'");
    return new NativeDuckDb(connection);
  }

  close(): void {
    this.#connection.closeSync();
    rmSync(this.#folder, { recursive: true });
  }

  /** The path to name in SQL. */
  put(bytes: Uint8Array): string {
    const path = join(this.#folder, `${this.#fileCount++}.parquet`);
    writeFileSync(path, bytes);
    return path;
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.#connection.runAndReadAll(sql)).getRowObjectsJS();
  }

  async read(path: string): Promise<Content> {
    const result = await this.#connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`);
    const columns = result.getColumns();
    return new Map(
      result.columnNames().map((name, i) => [name, columns[i]!.map((value) => plainValue(value))]),
    );
  }
}

function plainValue(value: unknown): Value {
  const isTimestamp = typeof value === "object" && value !== null && "micros" in value;
  return isTimestamp ? (value.micros as bigint) : (value as Value);
}

export async function readWithHyparquet(bytes: Uint8Array): Promise<Content> {
  const file = bytes.slice().buffer;
  const names = parquetMetadata(file)
    .schema.slice(1)
    .map(({ name }) => name);
  let rows: Value[][] = [];
  await parquetRead({
    file,
    compressors,
    parsers: { timestampFromMicroseconds: (us: bigint) => us },
    onComplete: (read) => (rows = read as Value[][]),
  });
  return new Map(names.map((name, i) => [name, rows.map((row) => row[i] ?? null)]));
}

interface WasmConnection {
  query(sql: string): {
    readonly schema: { readonly fields: readonly { readonly name: string }[] };
    getChildAt(column: number): Iterable<Value>;
  };
}

interface WasmDuckDb {
  instantiate(): Promise<void>;
  connect(): WasmConnection;
  registerFileBuffer(name: string, bytes: Uint8Array): void;
  dropFile(name: string): void;
}

/** The wasm engine of the query Worker. */
export class WasmReader {
  readonly #engine: WasmDuckDb;
  readonly #connection: WasmConnection;

  private constructor(engine: WasmDuckDb) {
    this.#engine = engine;
    this.#connection = engine.connect();
    this.#connection.query("SET TimeZone = 'UTC'");
  }

  static async open(): Promise<WasmReader> {
    const require = createRequire(import.meta.url);
    const bundle = (name: string) => ({
      mainModule: require.resolve(`@malloydata/duckdb-wasm/dist/duckdb-${name}.wasm`),
      mainWorker: "",
    });
    const { createDuckDB, NODE_RUNTIME, VoidLogger } = require("@malloydata/duckdb-wasm/blocking");
    const bundles = { mvp: bundle("mvp"), eh: bundle("eh") };
    const engine: WasmDuckDb = await createDuckDB(bundles, new VoidLogger(), NODE_RUNTIME);
    await engine.instantiate();
    return new WasmReader(engine);
  }

  /** The first value of each row that a query over 'file.parquet' gives. */
  query(bytes: Uint8Array, sql: string): Value[] {
    return this.#withFile(bytes, () => [...this.#connection.query(sql).getChildAt(0)]);
  }

  read(bytes: Uint8Array): Content {
    return this.#withFile(bytes, () => {
      const columns = this.#connection.query("DESCRIBE SELECT * FROM 'file.parquet'");
      const [names, types] = [0, 1].map((i) => [...columns.getChildAt(i)] as string[]);
      // Arrow in JavaScript gives timestamps as milliseconds.
      const expressions = names!.map((name, i) => {
        const quoted = `"${name.replaceAll('"', '""')}"`;
        return types![i]!.startsWith("TIMESTAMP") ? `epoch_us(${quoted})` : quoted;
      });
      const result = this.#connection.query(`SELECT ${expressions.join()} FROM 'file.parquet'`);
      return new Map(names!.map((name, i) => [name, [...result.getChildAt(i)]]));
    });
  }

  #withFile<Result>(bytes: Uint8Array, work: () => Result): Result {
    // The engine may take the bytes themselves.
    this.#engine.registerFileBuffer("file.parquet", bytes.slice());
    try {
      return work();
    } finally {
      this.#engine.dropFile("file.parquet");
    }
  }
}
