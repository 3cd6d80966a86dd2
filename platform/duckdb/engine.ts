// DuckDB behind the port of lib/sql/engine.ts. Version and build: docs/decisions.
//
// One instance runs one query at a time; platform/duckdb/engine-pool.ts sees to that. Rows are
// given as they come and not kept; a long query lets the isolate's other work have a turn now and
// then. An instance that a query left in doubt (a trap, a read that failed in mid-flight, a stack
// that still sleeps when nobody waits) is marked broken and is replaced.

import { isSluiceError, SluiceError, type ErrorCode } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { ArrowStreamReader } from "#lib/sql/arrow-stream.ts";
import { cellText } from "#lib/sql/cell-text.ts";
import type { FileSource, SqlEngine } from "#lib/sql/engine.ts";
import {
  type Call,
  type EngineModules,
  type Host,
  type Instance,
  instantiate,
  registerFile,
} from "./instance.ts";
import { PagedFile, type Store } from "./paged-file.ts";

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

/** `mayGrow` is asked before the engine takes so many bytes more. */
export async function openDuckDb(
  modules: EngineModules,
  mayGrow: (byteLength: number) => boolean = () => true,
): Promise<DuckDb> {
  const engine = new DuckDbEngine();
  await engine.open(modules, mayGrow);
  return engine;
}

const LOOKS_PER_CHECK = 16;

class DuckDbEngine implements DuckDb {
  #instance!: Instance;
  /** Where calls leave their answer: status, pointer, byte length, as three float64. */
  #answer = 0;
  readonly #files = new Map<number, PagedFile>();
  readonly #names = new Set<string>();
  /** What a source threw; the engine can only say that a read failed. */
  #readError: unknown = null;
  /** A call that may sleep is under way. */
  #maySleep = false;
  #slice = newSlice();
  isBroken = false;

  async open(modules: EngineModules, mayGrow: (byteLength: number) => boolean): Promise<void> {
    const host: Host = {
      fileByteLength: (fileId) => this.#files.get(fileId)?.byteLength ?? 0,
      hasFile: (name) => this.#names.has(name),
      read: (...asked) => this.#read(...asked),
      // Somebody still sleeps in an engine that nobody waits for any more.
      isGivenUp: () => this.isBroken,
      isPauseDue: () => this.#isPauseDue(),
      pause: () => this.#pause(),
      mayGrow,
    };
    this.#instance = await instantiate(modules, host, LIMITS.engineBytesMax);
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
    const { prepare, start, fetchResults, bindings, connection } = this.#instance;
    const texts = [this.#storeText(sql), this.#storeText("[]")] as const;
    let statement: number | null = null;
    let isDone = false;
    this.#slice = newSlice();
    try {
      this.#register(files);
      // Prepared, because only such a statement gives its rows as they come. Nothing is bound.
      statement = (await this.#call(prepare, signal, connection, texts[0])).pointer;
      let part = (await this.#call(start, signal, connection, statement, texts[1])).bytes;
      while (part.byteLength > 0) {
        yield part;
        signal.throwIfAborted();
        part = (await this.#call(fetchResults, signal, connection)).bytes;
      }
      isDone = true;
    } finally {
      if (!this.isBroken) {
        if (!isDone) this.#runNow("SELECT 0"); // which ends the one before
        if (statement !== null) bindings.closePrepared(connection, statement);
        for (const text of texts) bindings.mod._free(text);
        this.#unregister();
      }
    }
  }

  #register(files: ReadonlyMap<string, FileSource>): void {
    this.#readError = null;
    for (const [name, source] of files) {
      this.#names.add(name);
      this.#files.set(registerFile(this.#instance, name), new PagedFile(source));
    }
  }

  #unregister(): void {
    for (const name of this.#names) this.#instance.bindings.dropFile(name);
    this.#names.clear();
    this.#files.clear();
  }

  #read(
    fileId: number,
    offset: number,
    byteLength: number,
    store: Store,
  ): number | Promise<number> {
    const file = this.#files.get(fileId);
    const end = Math.min(offset + byteLength, file?.byteLength ?? 0);
    if (file === undefined || end <= offset) return 0;
    const keep = (error: unknown): never => {
      this.#readError = error;
      throw error;
    };
    try {
      const reading = file.read(offset, end, store);
      return reading === null ? end - offset : reading.then(() => end - offset, keep);
    } catch (error) {
      return keep(error);
    }
  }

  #isPauseDue(): boolean {
    const slice = this.#slice;
    if (!this.#maySleep || ++slice.looks % LOOKS_PER_CHECK !== 0) return false;
    const nowMs = performance.now();
    if (nowMs !== slice.lastMs) {
      slice.lastMs = nowMs;
      slice.looks = 0;
    }
    return (
      nowMs - slice.startMs >= LIMITS.engineSliceMs || slice.looks >= LIMITS.engineSliceLooksMax
    );
  }

  async #pause(): Promise<void> {
    await nextTurn();
    this.#slice = newSlice();
  }

  /** `pointer` is the answer's number where it has no bytes. */
  async #call(
    call: Call,
    signal: AbortSignal,
    ...values: number[]
  ): Promise<{ pointer: number; bytes: Uint8Array }> {
    const { mod } = this.#instance.bindings;
    this.#maySleep = true;
    try {
      await unlessAborted(call(this.#answer, ...values), signal);
    } catch (error) {
      // A stack that was torn down in the middle left locks and counters as they were.
      this.isBroken = true;
      if (signal.aborted) throw signal.reason;
      throw isSluiceError(this.#readError) ? this.#readError : engineTrap(error);
    } finally {
      this.#maySleep = false;
    }
    const at = this.#answer >> 3;
    const [status, pointer, byteLength] = mod.HEAPF64.subarray(at, at + 3) as unknown as number[];
    const bytes = mod.HEAPU8.slice(pointer, pointer! + byteLength!);
    mod["_duckdb_web_clear_response"]!();
    if (status !== 0) throw this.#failure(new TextDecoder().decode(bytes));
    return { pointer: pointer!, bytes };
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

/** Of the C++ library, and of Arrow when it makes an answer's batch. */
const NO_MEMORY = /std::bad_alloc$|^malloc of size \d+ failed$/;

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
      return NO_MEMORY.test(message) ? "query_out_of_memory" : "query_failed";
  }
}

interface Slice {
  /** When the isolate's other work had its last turn. */
  readonly startMs: number;
  /** When the clock was seen to move; Cloudflare's stand still while a program runs. */
  lastMs: number;
  /** Looks at the clock since then. */
  looks: number;
}

function newSlice(): Slice {
  const nowMs = performance.now();
  return { startMs: nowMs, lastMs: nowMs, looks: 0 };
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
