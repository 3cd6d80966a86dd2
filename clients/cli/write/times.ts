// The event's time as files have it: a number of some unit, or text in RFC 3339.

import { toTimeUs } from "../../client/cells.ts";
import type { TimeUnit } from "../../client/encode-columns.ts";

const US_PER_UNIT: Readonly<Record<TimeUnit, number>> = { s: 1e6, ms: 1e3, us: 1, ns: 1e-3 };

/**
 * Microseconds; null where there is no time. Without a unit the magnitude of a number tells it, as
 * the server does: below 10^10 seconds, 10^13 milliseconds, 10^16 microseconds, else nanoseconds.
 * Throws a RangeError or TypeError for what is not a time.
 */
export function fileTimeUs(value: unknown, unit: TimeUnit | undefined): bigint | null {
  if (value === null || value === undefined || value === "") return null;
  const digits = typeof value === "string" && /^-?\d+(?:\.\d+)?$/.test(value);
  if (!digits && typeof value !== "number" && typeof value !== "bigint") {
    return BigInt(toTimeUs(value, 0));
  }
  const number = Number(value);
  const factor = US_PER_UNIT[unit ?? unitOf(Math.abs(number))];
  // Whole numbers by whole arithmetic: nanoseconds of today are beyond 2^53.
  if (factor < 1 && /^-?\d+$/.test(String(value))) {
    const ns = BigInt(value as string | bigint | number);
    const us = ns / 1_000n;
    return ns % 1_000n < 0n ? us - 1n : us;
  }
  if (!Number.isFinite(number)) throw new RangeError(`${String(value)} is not a time`);
  return BigInt(Math.floor(number * factor));
}

function unitOf(magnitude: number): TimeUnit {
  if (magnitude < 1e10) return "s";
  if (magnitude < 1e13) return "ms";
  return magnitude < 1e16 ? "us" : "ns";
}
