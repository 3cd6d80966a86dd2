// An isolate's engines: one query at a time on each.
//
// A query sleeps in the engine's own stack while it waits for bytes and while others have their
// turn, so a second one must not enter. Nearly always one engine does: queries are short. When one
// is not, whoever comes next gets a second engine after a moment, so that a dashboard does not wait
// for a report; those after them wait for either. Together the engines may grow only so far.
//
// Those who wait do not trust the holders: a cancelled request takes its continuations with it and
// would never let go. So a hold has an end; after it the engine, which may still sleep in the lost
// query, is thrown away.

import { LIMITS } from "#lib/base/limits.ts";
import type { EngineHold } from "#lib/sql/engine.ts";
import { type DuckDb, openDuckDb } from "./engine.ts";
import type { EngineModules } from "./instance.ts";

interface Slot {
  engine: DuckDb | null;
  /** Who has it, and until when; null: nobody. */
  holder: { readonly sinceMs: number; readonly expiresMs: number } | null;
}

/** How much longer than its query a hold may last. */
const GRACE_MS = 2_000;
const LOOK_AGAIN_MS = 1_000;

export class EnginePool {
  readonly #modules: EngineModules;
  readonly #slots: readonly Slot[] = [newSlot(), newSlot()];
  /**
   * Called when somebody lets go. Each belongs to the request that waits: a promise of a request
   * that has ended must not be waited for by another one.
   */
  readonly #waiting = new Set<() => void>();

  constructor(modules: EngineModules) {
    this.#modules = modules;
  }

  /** Waits for an engine, or until `signal` says that it is too late. */
  async acquire(signal: AbortSignal): Promise<EngineHold> {
    const [first, second] = this.#slots as [Slot, Slot];
    let slot: Slot | null = null;
    for (;;) {
      signal.throwIfAborted();
      const isLong = !isFree(first) && heldMs(first) >= LIMITS.engineSecondAfterMs;
      if (isFree(first)) slot = first;
      else if (isLong && isFree(second) && this.#hasRoom()) slot = second;
      if (slot !== null) break;
      await this.#releaseOr(isLong ? LOOK_AGAIN_MS : LIMITS.engineSecondAfterMs);
    }
    const isFirst = slot === first;
    const bytesMax = isFirst ? LIMITS.readAheadBytesMax : LIMITS.readAheadSecondBytesMax;
    return this.#hold(slot, bytesMax);
  }

  /** Resolves when somebody lets go, and at the latest after `waitMs`. */
  #releaseOr(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer);
        this.#waiting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, waitMs);
      this.#waiting.add(goOn);
    });
  }

  async #hold(slot: Slot, readAheadBytesMax: number): Promise<EngineHold> {
    // Its holder never came back, and may still sleep in it.
    if (slot.holder !== null) slot.engine = null;
    const sinceMs = Date.now();
    const holder = { sinceMs, expiresMs: sinceMs + LIMITS.queryTimeoutMs + GRACE_MS };
    slot.holder = holder;
    const release = () => {
      if (slot.holder !== holder) return;
      slot.holder = null;
      if (!this.#isWorthKeeping(slot)) slot.engine = null;
      for (const goOn of this.#waiting) goOn();
    };
    try {
      slot.engine ??= await openDuckDb(this.#modules, (bytes) => this.#mayGrow(bytes));
      return { engine: slot.engine, readAheadBytesMax, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Linear memory never shrinks, and a second engine is needed now and then only. */
  #isWorthKeeping({ engine }: Slot): boolean {
    if (engine === null || engine.isBroken) return false;
    const isSmall = engine.memoryBytes <= LIMITS.engineKeepBytesMax;
    return isSmall && this.#memoryBytes() <= LIMITS.engineKeepBytesMax;
  }

  #mayGrow(byteLength: number): boolean {
    return this.#memoryBytes() + byteLength <= LIMITS.enginesBytesMax;
  }

  #hasRoom(): boolean {
    return this.#slots[1]!.engine !== null || this.#mayGrow(LIMITS.engineNewBytes);
  }

  #memoryBytes(): number {
    return this.#slots.reduce((sum, { engine }) => sum + (engine?.memoryBytes ?? 0), 0);
  }
}

function newSlot(): Slot {
  return { engine: null, holder: null };
}

function heldMs({ holder }: Slot): number {
  return Date.now() - (holder?.sinceMs ?? 0);
}

function isFree({ holder }: Slot): boolean {
  return holder === null || Date.now() >= holder.expiresMs;
}
