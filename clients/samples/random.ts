// Seeded random numbers, so that the same seed gives the same telemetry on every machine.
//
// The generator is mulberry32 (Tommy Ettinger, public domain): 32 bits of state, even enough for
// sample data, of no use for secrets. Each pillar draws from a stream of its own, so that asking
// for more logs does not change a single event.

export class Random {
  #state: number;

  constructor(seed: number, stream = "") {
    this.#state = (seed ^ hashText(stream)) >>> 0;
  }

  /** In [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** An integer in [0, count) where small ones are much more frequent, as with popular items. */
  skewed(count: number): number {
    return Math.floor(count * this.fraction() ** 2.2);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.fraction() * items.length)]!;
  }

  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += this.integer(0, 0xffff).toString(16).padStart(4, "0");
    return text.slice(0, digits);
  }
}

/** FNV-1a, 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
