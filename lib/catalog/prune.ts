// What a query need not read, from what is known without reading: ranges of time.

import type { TimeRangeMs } from "./types.ts";

/** Both ends inclusive, in milliseconds. */
interface Span {
  readonly timeMinMs: number;
  readonly timeMaxMs: number;
}

export function meets({ timeMinMs, timeMaxMs }: Span, { minMs, maxMs }: TimeRangeMs): boolean {
  return (minMs === null || timeMaxMs >= minMs) && (maxMs === null || timeMinMs <= maxMs);
}
