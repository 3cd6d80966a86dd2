import type { Clock } from "#lib/base/ports.ts";

/** The only place that reads the wall clock for the protocol. */
export const systemClock: Clock = { nowMs: () => Date.now() };

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
