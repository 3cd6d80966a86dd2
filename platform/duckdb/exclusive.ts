// One query at a time on one engine per isolate.
//
// A query sleeps in the engine's own stack while it waits for bytes, so a second one must not
// enter; it waits. Those who wait do not trust the holder: a cancelled request takes its
// continuations with it and would never let go. So a hold has an end; after it the engine, which
// may still sleep in the lost query, is thrown away and the next in line starts a new one.

import { LIMITS } from "#lib/base/limits.ts";
import type { EngineHold, SqlEngine } from "#lib/sql/engine.ts";
import { type DuckDb, openDuckDb } from "./engine.ts";

interface Holder {
  readonly expiresMs: number;
  readonly ended: Promise<void>;
}

/** How much longer than its query a hold may last. */
const GRACE_MS = 2_000;
const LOOK_AGAIN_MS = 1_000;

export class ExclusiveEngine {
  readonly #module: WebAssembly.Module;
  #engine: DuckDb | null = null;
  #holder: Holder | null = null;

  /** `module` is the engine's compiled WebAssembly. */
  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** Waits for its turn, or until `signal` says that it is too late. */
  async acquire(signal: AbortSignal): Promise<EngineHold> {
    while (this.#holder !== null && Date.now() < this.#holder.expiresMs) {
      await Promise.race([this.#holder.ended, sleep(LOOK_AGAIN_MS)]);
      signal.throwIfAborted();
    }
    if (this.#holder !== null) this.#engine = null;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const expiresMs = Date.now() + LIMITS.queryTimeoutMs + GRACE_MS;
    const holder = { expiresMs, ended };
    this.#holder = holder;
    const release = () => {
      if (this.#holder === holder) this.#holder = null;
      end();
    };
    try {
      return { engine: await this.#fitEngine(), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #fitEngine(): Promise<SqlEngine> {
    const present = this.#engine;
    const isFit = present !== null && !present.isBroken;
    if (isFit && present.memoryBytes <= LIMITS.engineKeepBytesMax) return present;
    this.#engine = null;
    const engine = await openDuckDb(this.#module);
    this.#engine = engine;
    return engine;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
