// The SQL engine as the rest of Sluice sees it. platform/duckdb/ is the one place that names it.
//
// The engine runs one query at a time, over files that exist for that query alone. It knows no file
// system and no network: what it reads, it reads through the sources it was handed.

/**
 * Bytes of one file. `read` answers at once when it has them, or later when they must be fetched.
 */
export interface FileSource {
  readonly byteLength: number;
  read(offset: number, byteLength: number): Uint8Array | Promise<Uint8Array>;
}

export interface SqlEngine {
  /**
   * One SELECT as a syntax tree in JSON (lib/sql/ast.ts).
   * Throws `sql_invalid` with the engine's words, `sql_not_allowed` for anything but one SELECT.
   */
  parse(sql: string): string;
  /** The SQL text of a syntax tree. */
  print(ast: string): string;
  /**
   * Runs one statement over `files` by name: an Arrow IPC stream in parts, the schema first.
   * Gives way to other work of the isolate every few milliseconds. Ends with `signal.reason` when
   * aborted. Throws `sql_invalid`, `query_failed`, `query_out_of_memory`, or what a source threw.
   */
  run(
    sql: string,
    files: ReadonlyMap<string, FileSource>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void>;
}

/** An engine that is ours until we let it go. */
export interface EngineHold {
  readonly engine: SqlEngine;
  /** Bytes of files that may be held for the query. */
  readonly readAheadBytesMax: number;
  /** May be called more than once. */
  release(): void;
}

/** The engine reads whole pages of this size, from offsets that are multiples of it. */
export const ENGINE_PAGE_BYTES = 16_384;
