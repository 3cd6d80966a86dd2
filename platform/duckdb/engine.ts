// DuckDB behind the port of lib/sql/engine.ts. Version and build: docs/decisions.
//
// One instance runs one query at a time; platform/duckdb/exclusive.ts sees to that. An instance
// that a query left in doubt (a trap, a read that failed in mid-flight) is marked broken and is
// replaced.

import { isSluiceError, SluiceError, type ErrorCode } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { ArrowStreamReader } from "#lib/sql/arrow-stream.ts";
import { cellText } from "#lib/sql/cell-text.ts";
import type { FileSource, SqlEngine } from "#lib/sql/engine.ts";
import { type Call, type Instance, instantiate, registerFile } from "./instance.ts";

export interface DuckDb extends SqlEngine {
  readonly memoryBytes: number;
  /** True: what the instance does next is not known. Do not use it again. */
  readonly isBroken: boolean;
}

const SET_UP = [
  // For its looks at the clock (instance.ts); what it finds out interests nobody.
  "SET enable_profiling = 'json'",
  "SET TimeZone = 'UTC'",
  `SET memory_limit = '${LIMITS.engineSoftBytesMax}B'`,
  "SET lock_configuration = true",
];

/** `module` is the package's duckdb-eh.wasm, compiled. */
export async function openDuckDb(module: WebAssembly.Module): Promise<DuckDb> {
  const engine = new DuckDbEngine();
  await engine.open(module);
  return engine;
}

const LOOKS_PER_CHECK = 16;

class DuckDbEngine implements DuckDb {
  #instance!: Instance;
  /** Where calls leave their answer: status, pointer, byte length, as three float64. */
  #answer = 0;
  readonly #sources = new Map<number, FileSource>();
  readonly #names = new Set<string>();
  /** What a source threw; the engine can only say that a read failed. */
  #readError: unknown = null;
  /** The call under way, which must come back some time. null: none, or one that reads no rows. */
  #slice: { readonly startMs: number; looks: number; isOverrun: boolean } | null = null;
  isBroken = false;

  async open(module: WebAssembly.Module): Promise<void> {
    const host = {
      fileByteLength: (fileId: number) => this.#sources.get(fileId)?.byteLength ?? 0,
      hasFile: (name: string) => this.#names.has(name),
      read: (fileId: number, offset: number, length: number) => this.#read(fileId, offset, length),
      isOverrun: () => this.#isOverrun(),
    };
    const options = { memoryBytesMax: LIMITS.engineBytesMax, sliceMs: LIMITS.engineSliceMs };
    this.#instance = await instantiate(module, host, options);
    this.#answer = this.#instance.bindings.mod._malloc(24);
    for (const sql of SET_UP) this.#runNow(sql);
  }

  get memoryBytes(): number {
    return this.#instance.bindings.mod.HEAPU8.byteLength;
  }

  parse(sql: string): string {
    // The engine takes C strings, and a zero byte would end one before its closing quote.
    if (sql.includes("\0")) throw new SluiceError("sql_invalid", "SQL contains a zero byte");
    const ast = this.#textOf(`SELECT json_serialize_sql(${quote(sql)})`);
    if (!ast.startsWith('{"error":true,')) return ast;
    const answer = JSON.parse(ast) as ParseFailure;
    if (answer.error_type === "not implemented") {
      const message = "only SELECT statements are allowed";
      throw new SluiceError("sql_not_allowed", message);
    }
    throw new SluiceError("sql_invalid", answer.error_message || "the SQL does not parse");
  }

  print(ast: string): string {
    return this.#textOf(`SELECT json_deserialize_sql(${quote(ast)}::JSON)`);
  }

  async *run(
    sql: string,
    files: ReadonlyMap<string, FileSource>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void> {
    const { startQuery, pollQuery, fetchResults, bindings, connection } = this.#instance;
    const text = this.#storeText(sql);
    let isDone = false;
    try {
      this.#register(files);
      let part = await this.#call(startQuery, signal, connection, text);
      while (part === null) {
        await nextTurn();
        signal.throwIfAborted();
        part = await this.#call(pollQuery, signal, connection);
      }
      while (part !== null && part.byteLength > 0) {
        yield part;
        signal.throwIfAborted();
        part = await this.#call(fetchResults, signal, connection);
      }
      isDone = true;
    } finally {
      if (!this.isBroken) {
        if (!isDone) bindings.cancelPendingQuery(connection);
        bindings.mod._free(text);
        this.#unregister();
      }
    }
  }

  #register(files: ReadonlyMap<string, FileSource>): void {
    this.#readError = null;
    for (const [name, source] of files) {
      this.#names.add(name);
      this.#sources.set(registerFile(this.#instance, name), source);
    }
  }

  #unregister(): void {
    for (const name of this.#names) this.#instance.bindings.dropFile(name);
    this.#names.clear();
    this.#sources.clear();
  }

  #read(fileId: number, offset: number, length: number): Uint8Array | Promise<Uint8Array> {
    const source = this.#sources.get(fileId);
    const end = Math.min(offset + length, source?.byteLength ?? 0);
    if (source === undefined || end <= offset) return new Uint8Array(0);
    const keep = (error: unknown): never => {
      this.#readError = error;
      throw error;
    };
    try {
      const bytes = source.read(offset, end - offset);
      return bytes instanceof Uint8Array ? bytes : bytes.catch(keep);
    } catch (error) {
      return keep(error);
    }
  }

  /** True: the call keeps the isolate from everything else, and must end now. */
  #isOverrun(): boolean {
    const slice = this.#slice;
    if (slice === null || ++slice.looks % LOOKS_PER_CHECK !== 0) return false;
    const lastedMs = performance.now() - slice.startMs;
    // Cloudflare's clocks stand still as long as the call lasts.
    const isLong = lastedMs === 0 && slice.looks > LIMITS.engineSliceLooksMax;
    if (lastedMs < LIMITS.engineSliceMsMax && !isLong) return false;
    slice.isOverrun = true;
    return true;
  }

  /** null: nothing yet. */
  async #call(call: Call, signal: AbortSignal, ...values: number[]): Promise<Uint8Array | null> {
    const { mod } = this.#instance.bindings;
    const slice = { startMs: performance.now(), looks: 0, isOverrun: false };
    this.#slice = slice;
    try {
      await unlessAborted(call(this.#answer, ...values), signal);
    } catch (error) {
      // A stack that was torn down in the middle left locks and counters as they were.
      this.isBroken = true;
      if (signal.aborted) throw signal.reason;
      if (slice.isOverrun) throw overrun();
      throw isSluiceError(this.#readError) ? this.#readError : engineTrap(error);
    } finally {
      this.#slice = null;
    }
    const at = this.#answer >> 3;
    const [status, pointer, byteLength] = mod.HEAPF64.subarray(at, at + 3) as unknown as number[];
    const bytes = mod.HEAPU8.slice(pointer, pointer! + byteLength!);
    mod["_duckdb_web_clear_response"]!();
    if (status !== 0) throw this.#failure(new TextDecoder().decode(bytes));
    return pointer === 0 ? null : bytes;
  }

  #failure(message: string): SluiceError {
    const code = failureCode(message);
    if (code === "query_out_of_memory") {
      this.isBroken = true;
      const advice = "narrow the time range, or query the Parquet files with an external engine";
      return new SluiceError(code, `the query needs more memory than one query may use; ${advice}`);
    }
    if (code === "bug") this.isBroken = true;
    if (code === "query_unsupported") {
      // A defect of the engine that this query meets; its state is not to be trusted after that.
      this.isBroken = true;
      return new SluiceError(
        code,
        `the SQL engine fails on this query, write it otherwise: ${message}`,
      );
    }
    return new SluiceError(code, message);
  }

  #textOf(sql: string): string {
    // A whole answer comes as an Arrow file: eight bytes of magic, then the stream.
    const [batch] = new ArrowStreamReader().read(this.#runNow(sql).subarray(8));
    return JSON.parse(cellText(batch!.columns[0]!)(0)) as string;
  }

  /** For statements that read no file. */
  #runNow(sql: string): Uint8Array {
    const { bindings, connection } = this.#instance;
    try {
      return bindings.runQuery(connection, sql);
    } catch (error) {
      if (error instanceof Error && !(error instanceof RangeError)) {
        throw this.#failure(error.message);
      }
      this.isBroken = true;
      throw engineTrap(error);
    }
  }

  #storeText(text: string): number {
    const { mod } = this.#instance.bindings;
    const bytes = new TextEncoder().encode(`${text}\0`);
    const pointer = mod._malloc(bytes.byteLength);
    mod.HEAPU8.set(bytes, pointer);
    return pointer;
  }
}

interface ParseFailure {
  readonly error_type: string;
  readonly error_message: string;
}

/** DuckDB says the class of an error before the first colon, and says it nowhere else. */
function failureCode(message: string): ErrorCode {
  const name = message.slice(0, message.indexOf(":"));
  switch (name) {
    case "Parser Error":
    case "Binder Error":
    case "Catalog Error":
    case "Not implemented Error":
    case "Permission Error":
      return "sql_invalid";
    case "Out of Memory Error":
      return "query_out_of_memory";
    case "IO Error":
      return "bug";
    case "INTERNAL Error":
    case "FATAL Error":
      return "query_unsupported";
    default:
      return message.endsWith("std::bad_alloc") ? "query_out_of_memory" : "query_failed";
  }
}

function overrun(): SluiceError {
  const message =
    "the query joins too many rows with each other to be stopped in time; " +
    "join on equal columns, or narrow the time range";
  return new SluiceError("query_too_large", message);
}

/**
 * The engine's stack overflowed, or it trapped: a query too deep or too odd, not a lost isolate.
 */
function engineTrap(cause: unknown): SluiceError {
  const message = "the query is too complex for the engine";
  return new SluiceError("query_too_large", message, {}, { cause });
}

/**
 * Rejects with the signal's reason when it comes first; what `work` does then is nobody's concern.
 */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Lets the isolate's other requests run. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
