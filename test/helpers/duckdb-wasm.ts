// The query Worker's engine under Node. Its glue looks for Node and would then load files by
// itself, so what `[define]` in workers/query/wrangler.toml does for the Worker is done here at
// loading.

import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import type { DuckDb } from "#platform/duckdb/engine.ts";
import type { EngineModules } from "#platform/duckdb/instance.ts";

const DUCKDB = "node_modules/@malloydata/duckdb-wasm/dist/duckdb-eh.wasm";
const CLOCK = "platform/duckdb/clock.wasm";

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/duckdb-browser-blocking.mjs")) return loaded;
    const source = String(loaded.source).replaceAll("process.versions.node", "undefined");
    return { ...loaded, source };
  },
});

let compiled: EngineModules | null = null;

export function engineModules(): EngineModules {
  compiled ??= { duckdb: compile(DUCKDB), clock: compile(CLOCK) };
  return compiled;
}

function compile(path: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(path));
}

export async function openTestEngine(): Promise<DuckDb> {
  const { openDuckDb } = await import("#platform/duckdb/engine.ts");
  return openDuckDb(engineModules());
}
