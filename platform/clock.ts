// The wall clock and timers: the only place where the protocol's time comes from.

import type { Clock } from "#lib/base/ports.ts";

export const systemClock: Clock = { nowMs: () => Date.now() };

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
