// An isolate's engines: one query at a time on each.
//
// A query sleeps in the engine's own stack while it waits for bytes and while others have their
// turn, so a second one must not enter. Nearly always one engine does: queries are short. When one
// is not, whoever comes next gets a second engine after a moment, so that a dashboard does not wait
// for a report; those after them wait for either. Together the engines may grow only so far.
//
// Those who wait do not trust the holders: a cancelled request takes its continuations with it and
// would never let go. So a hold has an end; after it the engine, which may still sleep in the lost
// query, is thrown away. And they look for themselves, every few milliseconds, instead of being
// called: one request must not wait for a promise that another one resolves, or it may find itself
// going on in that one's name, where it may not use its own connections.

import { LIMITS } from "#lib/base/limits.ts";
import type { EngineHold } from "#lib/sql/engine.ts";
import { engineMemoryBytes, engineStarts } from "#lib/telemetry/metrics/query.ts";
import { meter } from "../telemetry.ts";
import { type DuckDb, openDuckDb } from "./engine.ts";
import type { EngineModules } from "./instance.ts";

interface Slot {
  engine: DuckDb | null;
  /** Who has it, and until when; null: nobody. */
  holder: { readonly sinceMs: number; readonly expiresMs: number } | null;
}

/** How much longer than its query a hold may last. */
const GRACE_MS = 2_000;
const LOOK_AGAIN_MS = 5;
/** Who has not looked for so long is gone. */
const WAITER_LOST_MS = 1_000;

export class EnginePool {
  readonly #modules: EngineModules;
  readonly #slots: readonly Slot[] = [newSlot(), newSlot()];
  /** In the order in which they came, and when each has looked last. */
  #waiting: { lookedMs: number }[] = [];

  constructor(modules: EngineModules) {
    this.#modules = modules;
  }

  /** Waits for its turn, or until `signal` says that it is too late. */
  async acquire(signal: AbortSignal): Promise<EngineHold> {
    const waiter = { lookedMs: 0 };
    try {
      for (;;) {
        signal.throwIfAborted();
        const slot = this.#lookFor(waiter);
        if (slot !== null) {
          this.#leave(waiter);
          return await this.#hold(slot);
        }
        await sleep(LOOK_AGAIN_MS);
      }
    } finally {
      this.#leave(waiter);
    }
  }

  /** null: others are first, or there is no free engine. */
  #lookFor(waiter: { lookedMs: number }): Slot | null {
    const nowMs = Date.now();
    waiter.lookedMs = nowMs;
    if (!this.#waiting.includes(waiter)) this.#waiting.push(waiter);
    this.#waiting = this.#waiting.filter(({ lookedMs }) => nowMs - lookedMs < WAITER_LOST_MS);
    if (this.#waiting[0] !== waiter) return null;
    const [first, second] = this.#slots as [Slot, Slot];
    if (isFree(first)) return first;
    const isLong = heldMs(first) >= LIMITS.engineSecondAfterMs;
    return isLong && isFree(second) && this.#hasRoom() ? second : null;
  }

  #leave(waiter: { lookedMs: number }): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiter);
  }

  /** From the call on nobody else gets it. */
  async #hold(slot: Slot): Promise<EngineHold> {
    // Its holder never came back, and may still sleep in it.
    if (slot.holder !== null) slot.engine = null;
    const sinceMs = Date.now();
    const holder = { sinceMs, expiresMs: sinceMs + LIMITS.queryTimeoutMs + GRACE_MS };
    slot.holder = holder;
    const release = () => {
      if (slot.holder !== holder) return;
      slot.holder = null;
      if (!this.#isWorthKeeping(slot)) slot.engine = null;
      meter.set(engineMemoryBytes, this.#memoryBytes());
    };
    const isFirst = slot === this.#slots[0];
    const { readAheadBytesMax: most, readAheadSecondBytesMax: less } = LIMITS;
    try {
      slot.engine ??= await this.#start();
      return { engine: slot.engine, readAheadBytesMax: isFirst ? most : less, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #start(): Promise<DuckDb> {
    meter.add(engineStarts, 1);
    return openDuckDb(this.#modules, (bytes) => this.#mayGrow(bytes));
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

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
