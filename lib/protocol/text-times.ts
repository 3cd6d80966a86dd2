// Times as text: integers of a unit that is told or found by magnitude, and RFC 3339.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { floorDivide, type TimeUnit } from "./time-column.ts";

const FORMATS = { epoch_s: "s", epoch_ms: "ms", epoch_us: "us", epoch_ns: "ns" } as const;
export type TimeFormat = keyof typeof FORMATS | "rfc3339";
export const TIME_FORMATS = [...(Object.keys(FORMATS) as (keyof typeof FORMATS)[]), "rfc3339"];

const INTEGER = /^-?\d{1,19}$/;
/** A zone that is left out is UTC. */
const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)?$/;

export function parseTimeFormat(text: string): TimeFormat {
  if (text === "rfc3339" || text in FORMATS) return text as TimeFormat;
  const message = `"time_format" must be one of ${TIME_FORMATS.join(", ")}`;
  throw new SluiceError("parameter_invalid", message, { field: "time_format" });
}

/** In microseconds, rounded down. `format` null: whichever of the two it looks like. */
export function parseTime(text: string, format: TimeFormat | null): bigint {
  const isInteger = INTEGER.test(text);
  const us =
    isInteger && format !== "rfc3339"
      ? scale(BigInt(text), format === null ? null : FORMATS[format])
      : format === null || format === "rfc3339"
        ? parseRfc3339(text)
        : null;
  if (us === null) {
    const shown = JSON.stringify(text.slice(0, 40));
    throw new SluiceError("time_invalid", `${shown} is not a time${format ? ` (${format})` : ""}`);
  }
  if (us >= LIMITS.timeUsMin && us <= LIMITS.timeUsMax) return us;
  throw new SluiceError("value_out_of_range", `the time ${text} is not within the years 1 to 9999`);
}

function scale(value: bigint, declared: TimeUnit | null): bigint {
  switch (declared ?? unitByMagnitude(value < 0n ? -value : value)) {
    case "s":
      return value * 1_000_000n;
    case "ms":
      return value * 1_000n;
    case "us":
      return value;
    case "ns":
      return floorDivide(value, 1_000n);
  }
}

/** As in time-column.ts, but for each by itself. */
function unitByMagnitude(magnitude: bigint): TimeUnit {
  if (magnitude < 10_000_000_000n) return "s";
  if (magnitude < 10_000_000_000_000n) return "ms";
  return magnitude < 10_000_000_000_000_000n ? "us" : "ns";
}

function parseRfc3339(text: string): bigint | null {
  const match = RFC3339.exec(text);
  if (match === null) return null;
  const [, day, clock, fraction = "", zone = "Z"] = match;
  const midnight = new Date(`${day}T00:00:00Z`);
  // A Date takes the 30th of February for the 2nd of March.
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day!)) return null;
  const ms = Date.parse(`${day}T${clock}${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) return null;
  return BigInt(ms) * 1_000n + BigInt(fraction.padEnd(6, "0").slice(0, 6));
}

/** RFC 3339 with milliseconds, and microseconds where there are any. */
export function isoTime(us: bigint): string {
  const micros = us - floorDivide(us, 1_000n) * 1_000n;
  const iso = new Date(Number((us - micros) / 1_000n)).toISOString();
  return micros === 0n ? iso : `${iso.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
}
