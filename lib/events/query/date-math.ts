// Moments as Elasticsearch's range queries write them: a date, milliseconds since 1970, or `now`,
// and sums behind it: `now-1h/d`, `2015-04-21||+1M/d`. A pure function of the text and of now.
//
// Format:
// https://www.elastic.co/guide/en/elasticsearch/reference/current/common-options.html#date-math
// Rounding up gives the last microsecond of a unit and down the first, so that `gt` and `lte` leave
// out and take in whole units; what a date lacks is filled in the same way, months and days apart,
// which are the first ones. Here alone a time that has its seconds is the moment that it says, and
// not the whole second. UTC where no zone is named. Weeks begin on Monday.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";

export type Rounding = "down" | "up";

/** µs since 1970. `value` is a text, or a number of ms. Throws `parameter_invalid`. */
export function parseMoment(
  field: string,
  value: unknown,
  rounding: Rounding,
  nowUs: bigint,
): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) {
    return within(field, BigInt(value) * 1_000n);
  }
  if (typeof value !== "string") throw wrong(field, value);
  const { anchor, steps } = split(value);
  const start = anchor === "now" ? nowUs : anchorUs(anchor, rounding);
  if (start === null) throw wrong(field, value);
  let us = within(field, start);
  for (const step of steps ?? refuse(field, value)) us = within(field, step(us, rounding));
  return us;
}

type Step = (us: bigint, rounding: Rounding) => bigint;

const STEP = /([+-])(\d{0,9})([yMwdhHms])|\/([yMwdhHms])/y;

/** `steps` is null where what stands behind the anchor is no sum. */
function split(text: string): { anchor: string; steps: Step[] | null } {
  const isNow = text.startsWith("now");
  const bars = text.indexOf("||");
  if (!isNow && bars === -1) return { anchor: text, steps: [] };
  const [end, begin] = isNow ? [3, 3] : [bars, bars + 2];
  return { anchor: text.slice(0, end), steps: stepsOf(text.slice(begin)) };
}

function stepsOf(sum: string): Step[] | null {
  const steps: Step[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < sum.length) {
    const match = STEP.exec(sum);
    if (match === null) return null;
    const [, sign, digits, unit, rounded] = match;
    if (rounded !== undefined) {
      steps.push((us, rounding) => round(us, rounded, rounding));
    } else {
      const count = (digits === "" ? 1n : BigInt(digits!)) * (sign === "-" ? -1n : 1n);
      steps.push((us) => add(us, count, unit!));
    }
  }
  return steps;
}

const SECOND = 1_000_000n;
const DAY = 86_400n * SECOND;
/** Units that are always of one length, in µs. 1970 began on a Thursday. */
const LENGTHS: Readonly<Record<string, bigint>> = {
  s: SECOND,
  m: 60n * SECOND,
  h: 3_600n * SECOND,
  H: 3_600n * SECOND,
  d: DAY,
  w: 7n * DAY,
};
const MONDAY = 4n * DAY;

function round(us: bigint, unit: string, rounding: Rounding): bigint {
  const start = startOf(us, unit);
  return rounding === "down" ? start : add(start, 1n, unit) - 1n;
}

function startOf(us: bigint, unit: string): bigint {
  const length = LENGTHS[unit];
  if (length !== undefined) {
    const origin = unit === "w" ? MONDAY : 0n;
    return us - modulo(us - origin, length);
  }
  const { year, month } = calendarOf(us);
  return dateUs(year, unit === "y" ? 0 : month, 1);
}

/** Months and years keep the day where the month has it, and else take its last. */
function add(us: bigint, count: bigint, unit: string): bigint {
  const length = LENGTHS[unit];
  if (length !== undefined) return us + count * length;
  const { year, month, day } = calendarOf(us);
  const months = year * 12 + month + Number(count) * (unit === "y" ? 12 : 1);
  const [newYear, newMonth] = [Math.floor(months / 12), ((months % 12) + 12) % 12];
  // No Date goes there, and it is beyond what a time may be.
  if (Math.abs(newYear) > 200_000) return BigInt(Math.sign(newYear)) * LIMITS.timeUsMax * 2n;
  const daysOfMonth = calendarOf(dateUs(newYear, newMonth + 1, 0)).day;
  return dateUs(newYear, newMonth, Math.min(day, daysOfMonth)) + modulo(us, DAY);
}

function calendarOf(us: bigint) {
  const date = new Date(Number((us - modulo(us, DAY)) / 1_000n));
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() };
}

/** `Date.UTC` would take the year 15 for 1915. */
function dateUs(year: number, month: number, day: number): bigint {
  return BigInt(new Date(0).setUTCFullYear(year, month, day)) * 1_000n;
}

function modulo(a: bigint, b: bigint): bigint {
  return ((a % b) + b) % b;
}

const EPOCH_MS = /^[+-]?(?:\d{1,3}|\d{5,15})$/;
const DATE =
  /^(\d{4})(?:[-.](\d\d)(?:[-.](\d\d)(?:[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?([Zz]|[+-]\d\d:?\d\d)?)?)?)?$/;

/** null: it is no date. Four digits are a year, as there. */
function anchorUs(text: string, rounding: Rounding): bigint | null {
  if (EPOCH_MS.test(text)) return BigInt(text.replace("+", "")) * 1_000n;
  const match = DATE.exec(text);
  if (match === null) return null;
  const [, year, month = "01", day = "01", ...clock] = match;
  const midnight = dateUs(Number(year), Number(month) - 1, Number(day));
  const { month: found, day: foundDay } = calendarOf(midnight);
  // A Date takes the 30th of February for the 2nd of March.
  if (found !== Number(month) - 1 || foundDay !== Number(day)) return null;
  const [hour, minute, second, fraction, zone = "Z"] = clock;
  const last = rounding === "up";
  const time = [hour ?? (last ? "23" : "0"), minute ?? (last ? "59" : "0")].map(Number);
  const seconds = Number(second ?? (last ? "59" : "0"));
  const [hours, minutes] = time as [number, number];
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const missing = second === undefined && last ? "999999" : "0";
  const micros = BigInt((fraction ?? missing).padEnd(6, "0").slice(0, 6));
  const offset = offsetUs(zone);
  if (offset === null) return null;
  return midnight + BigInt(hours * 3_600 + minutes * 60 + seconds) * SECOND + micros - offset;
}

function offsetUs(zone: string): bigint | null {
  if (zone.toUpperCase() === "Z") return 0n;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return null;
  const us = BigInt(hours * 60 + minutes) * 60n * SECOND;
  return zone.startsWith("-") ? -us : us;
}

function within(field: string, us: bigint): bigint {
  if (us >= LIMITS.timeUsMin && us <= LIMITS.timeUsMax) return us;
  const message = `"${field}" is not within the years 1 to 9999`;
  throw new SluiceError("parameter_invalid", message, { field });
}

function refuse(field: string, value: unknown): never {
  throw wrong(field, value);
}

function wrong(field: string, value: unknown): SluiceError {
  const shown = JSON.stringify(value)?.slice(0, 60) ?? "nothing";
  const expected = "an RFC 3339 time, milliseconds since 1970, or date math like now-1h/d";
  const message = `"${field}" must be ${expected}, not ${shown}`;
  return new SluiceError("parameter_invalid", message, { field, expected });
}
