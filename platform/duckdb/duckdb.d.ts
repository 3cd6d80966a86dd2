// The parts of the engine's JavaScript glue that platform/duckdb/ touches. The package does not
// list this bundle in its exports and ships no types beside it, so they are declared here.

declare module "*/duckdb-browser-blocking.mjs" {
  /** What Emscripten calls the module: the heap and the exported functions. */
  export interface WasmModule {
    HEAPU8: Uint8Array;
    HEAPF64: Float64Array;
    _malloc(byteLength: number): number;
    _free(pointer: number): void;
    ccall(name: string, returns: string | null, types: string[], values: unknown[]): unknown;
    [exported: `_duckdb_web_${string}`]: (...values: number[]) => unknown;
  }

  export interface Bindings {
    readonly mod: WasmModule;
    instantiateWasm(
      imports: Record<string, Record<string, (...values: number[]) => unknown>>,
      success: (instance: { exports: WebAssembly.Exports }) => void,
    ): object;
    instantiate(onProgress: () => void): Promise<unknown>;
    open(config: object): void;
    connect(): { useUnsafe<T>(use: (bindings: Bindings, connection: number) => T): T };
    runQuery(connection: number, sql: string): Uint8Array;
    closePrepared(connection: number, statement: number): void;
    registerFileURL(name: string, url: string, protocol: number, directIo: boolean): void;
    dropFile(name: string): void;
  }

  export class VoidLogger {}
  export function createDuckDB(
    bundles: Record<"mvp" | "eh", { mainModule: string }>,
    logger: VoidLogger,
    runtime: object,
  ): Promise<Bindings>;
  /** [status, pointer, byteLength]; status 0 is success. */
  export function callSRet(
    module: WasmModule,
    name: string,
    types: string[],
    values: unknown[],
  ): [number, number, number];
  export function dropResponseBuffers(module: WasmModule): void;
  export function readString(module: WasmModule, pointer: number, byteLength: number): string;
}

declare namespace WebAssembly {
  /** An import that may answer with a promise: the wasm stack sleeps until it is settled (JSPI). */
  const Suspending: new (call: (...values: number[]) => unknown) => ExportValue & ImportValue;
  /** An export whose stack may sleep. */
  function promising(exported: ExportValue): (...values: number[]) => Promise<unknown>;
}
