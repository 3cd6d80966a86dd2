// One DuckDB in WebAssembly, with the workings that its glue hides: asynchronous file reads, giving
// way, a hard memory cap, no globals.
//
// The glue expects a browser. It reaches files through a global runtime object and wants them read
// synchronously, which R2 cannot do. So the imports that would call the runtime are replaced before
// instantiation, and the one that reads is a suspending import (JavaScript Promise Integration):
// the wasm stack sleeps until the bytes are there, and the isolate goes on serving. The exports
// that may come to read are wrapped to match.
//
// A call into the engine may last for minutes. Its profiler, though, looks at the clock with every
// 2,048 rows of every operator. So the profiler is on (engine.ts), and at such a look the host may
// let the stack sleep for a turn, or end the query; the instance is then of no more use.

import {
  type Bindings,
  callSRet,
  createDuckDB,
  dropResponseBuffers,
  readString,
  VoidLogger,
} from "../../node_modules/@malloydata/duckdb-wasm/dist/duckdb-browser-blocking.mjs";
import { assert } from "#lib/base/assert.ts";
import type { Store } from "./paged-file.ts";

/** The engine's requests to its host. Pointers and lengths are in bytes of its memory. */
export interface Host {
  fileByteLength(fileId: number): number;
  hasFile(name: string): boolean;
  /** Returns how many bytes it stored. */
  read(fileId: number, offset: number, byteLength: number, store: Store): number | Promise<number>;
  /** Asked at the engine's looks at the clock. True ends the call under way by a trap. */
  isGivenUp(): boolean;
  /** Asked there too. True: the engine shall sleep until `pause` is over. */
  isPauseDue(): boolean;
  pause(): Promise<void>;
  /** Asked before the engine's memory grows by so many bytes. */
  mayGrow(byteLength: number): boolean;
}

export type Call = (...values: number[]) => Promise<unknown>;

export interface Instance {
  readonly bindings: Bindings;
  readonly connection: number;
  /** Exports that may sleep in a read. Only one may be under way at a time. */
  readonly prepare: Call;
  readonly start: Call;
  readonly fetchResults: Call;
}

/** Both compiled: Workers cannot compile WebAssembly. */
export interface EngineModules {
  /** The package's duckdb-eh.wasm. */
  readonly duckdb: WebAssembly.Module;
  /** clock.wasm of this folder. */
  readonly clock: WebAssembly.Module;
}

const PAGE_BYTES = 65_536;
/** Files under this protocol are read through the host and never by the engine itself. */
const HOST_FILES = 2;

/** `memoryBytesMax` caps the engine's linear memory. */
export async function instantiate(
  modules: EngineModules,
  host: Host,
  memoryBytesMax: number,
): Promise<Instance> {
  // The glue builds URLs from it although it fetches nothing.
  (globalThis as { location?: unknown }).location ??= { href: "http://localhost/" };
  const bundle = { mainModule: "duckdb-eh.wasm" };
  const bindings = await createDuckDB({ mvp: bundle, eh: bundle }, new VoidLogger(), {});
  const exportsOf = interceptExports(bindings, modules, host, memoryBytesMax);
  await bindings.instantiate(() => {});
  bindings.open({});
  const connection = bindings.connect().useUnsafe((_, id) => id);
  const promising = (name: `_duckdb_web_${string}`) =>
    WebAssembly.promising(exportsOf(bindings, name));
  return {
    bindings,
    connection,
    prepare: promising("_duckdb_web_prepared_create"),
    start: promising("_duckdb_web_prepared_send"),
    fetchResults: promising("_duckdb_web_query_fetch_results"),
  };
}

/** Makes `name` known to the engine and returns the id under which it will ask for bytes. */
export function registerFile({ bindings }: Instance, name: string): number {
  const isDirect = true; // else the engine keeps every page it reads
  bindings.registerFileURL(name, name, HOST_FILES, isDirect);
  const { mod } = bindings;
  const types = ["string", "number"];
  const answer = callSRet(mod, "duckdb_web_fs_get_file_info_by_name", types, [name, 0]);
  const info = JSON.parse(readString(mod, answer[1], answer[2])) as { fileId: number };
  dropResponseBuffers(mod);
  return info.fileId;
}

/** Replaces imports and exports at instantiation; returns a way to find an export by its C name. */
function interceptExports(
  bindings: Bindings,
  modules: EngineModules,
  host: Host,
  memoryBytesMax: number,
): (bindings: Bindings, name: `_duckdb_web_${string}`) => WebAssembly.ExportValue {
  let exports: WebAssembly.Exports = {};
  let asked: string | null = null;
  let isAsking = false;
  bindings.instantiateWasm = (imports, success) => {
    for (const group of Object.values(imports)) replaceImports(group, bindings, host, modules);
    void WebAssembly.instantiate(modules.duckdb, imports as WebAssembly.Imports).then(
      (instance) => {
        exports = instance.exports;
        for (const value of Object.values(exports)) {
          if (value instanceof WebAssembly.Memory) capMemory(value, memoryBytesMax, host);
        }
        const probe = new Proxy(Object.assign({}, exports), {
          get(target, key) {
            if (!isAsking) return target[key as string];
            asked = key as string;
            return () => 0;
          },
        });
        success({ exports: probe });
      },
    );
    return {};
  };
  return ({ mod }, name) => {
    // Names of exports are minified, and only the glue's wrapper knows which is which: it is asked.
    isAsking = true;
    mod[name]!();
    isAsking = false;
    const found = asked === null ? undefined : exports[asked];
    assert(typeof found === "function", `the engine exports ${name}`);
    mod[name] = found as (...values: number[]) => unknown;
    return found;
  };
}

type Imports = Record<string, (...values: number[]) => unknown>;

/**
 * Each import that would call the global runtime says so in its source: `DUCKDB_RUNTIME.<method>(`.
 */
function replaceImports(
  imports: Imports,
  bindings: Bindings,
  host: Host,
  modules: EngineModules,
): void {
  const runtime = createRuntime(bindings, host);
  let replaced = 0;
  for (const [name, original] of Object.entries(imports)) {
    const method = /DUCKDB_RUNTIME\.(\w+)\(/.exec(original.toString())?.[1];
    if (method === undefined) continue;
    const replacement = runtime[method] ?? refuse(method);
    imports[name] = (
      method === "readFile" ? new WebAssembly.Suspending(replacement) : replacement
    ) as Imports[string];
    replaced++;
  }
  assert(replaced >= Object.keys(runtime).length, "the engine's glue calls the runtime we replace");
  replaceClock(imports, bindings, host, modules.clock);
  silence(imports, bindings);
}

/** Puts clock.wasm between the engine and the glue's `clock_gettime`. */
function replaceClock(
  imports: Imports,
  bindings: Bindings,
  host: Host,
  module: WebAssembly.Module,
): void {
  const found = Object.entries(imports).find(
    ([, original]) => original.length === 2 && original.toString().includes("Date.now()"),
  );
  assert(found !== undefined, "the engine asks for the time by clock_gettime");
  const [name, tell] = found;
  const isDue = () => {
    if (host.isGivenUp()) trap(bindings);
    return host.isPauseDue() ? 1 : 0;
  };
  const waitAndTell = async (...values: number[]) => {
    await host.pause();
    return tell(...values);
  };
  const { exports } = new WebAssembly.Instance(module, {
    host: { isDue, tell, waitAndTell: new WebAssembly.Suspending(waitAndTell) },
  });
  imports[name] = exports["clock"] as Imports[string];
}

/**
 * C++ swears that its clocks throw nothing, and would abort without end over an exception from
 * here. A trap it cannot see; freeing what lies outside the memory makes one.
 */
function trap({ mod }: Bindings): void {
  mod._free(mod.HEAPU8.byteLength + PAGE_BYTES);
}

/** `fd_write` takes all and prints nothing: the profiler reports at the end of every query. */
function silence(imports: Imports, bindings: Bindings): void {
  const found = Object.entries(imports).find(
    ([, original]) => original.length === 4 && original.toString().includes(".printChar("),
  );
  assert(found !== undefined, "the engine prints by fd_write");
  const [name] = found;
  imports[name] = (_file, vectors, count, written) => {
    const view = new DataView(bindings.mod.HEAPU8.buffer);
    let byteLength = 0;
    for (let at = 0; at < count!; at++) byteLength += view.getUint32(vectors! + at * 8 + 4, true);
    view.setUint32(written!, byteLength, true);
    return 0;
  };
}

function createRuntime(bindings: Bindings, host: Host): Imports {
  return {
    // The one feature it asks for is 64-bit integers; without them it would return them as doubles.
    testPlatformFeature: () => 1,
    getDefaultDataProtocol: () => HOST_FILES,
    openFile(fileId) {
      const { mod } = bindings;
      const result = mod._malloc(16);
      mod.HEAPF64[result >> 3] = host.fileByteLength(fileId!);
      mod.HEAPF64[(result >> 3) + 1] = 0;
      return result;
    },
    readFile(fileId, buffer, byteLength, offset) {
      const { mod } = bindings;
      const store: Store = (bytes, at) => mod.HEAPU8.set(bytes, buffer! + at);
      return host.read(fileId!, offset!, byteLength!, store);
    },
    glob(pointer, byteLength) {
      const { mod } = bindings;
      const name = readString(mod, pointer!, byteLength!);
      if (host.hasFile(name)) mod.ccall("duckdb_web_fs_glob_add_path", null, ["string"], [name]);
    },
    checkFile(pointer, byteLength) {
      return host.hasFile(readString(bindings.mod, pointer!, byteLength!)) ? 1 : 0;
    },
    checkDirectory: () => 0,
    closeFile: () => {},
    syncFile: () => {},
    getLastFileModificationTime: () => 0,
  };
}

/** Nothing that a SELECT does comes here: the engine has nothing to write to. */
function refuse(method: string): () => never {
  return () => {
    throw new Error(`the engine asked for ${method}`);
  };
}

/**
 * The engine's own memory limit does not count all it allocates (the state of exact quantiles, for
 * one). A `grow` that throws makes its allocator fail, the query ends, and the isolate lives.
 */
function capMemory(memory: WebAssembly.Memory, byteLengthMax: number, host: Host): void {
  const grow = memory.grow.bind(memory);
  const capped = (pages: number): number => {
    const byteLength = pages * PAGE_BYTES;
    const isCapped = memory.buffer.byteLength + byteLength > byteLengthMax;
    if (isCapped || !host.mayGrow(byteLength)) {
      throw new RangeError("the engine's memory is at its cap");
    }
    return grow(pages);
  };
  Object.defineProperty(memory, "grow", { value: capped });
}
