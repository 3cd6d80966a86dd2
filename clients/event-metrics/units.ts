// Lengths of time, all in milliseconds: `5 * Units.minutes`, or in words `{ minutes: 5 }`.

export const Units = {
  milliseconds: 1,
  seconds: 1_000,
  minutes: 60_000,
  hours: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
} as const;

/** Milliseconds, or a sum of units. */
export type Timedelta = number | { readonly [Unit in keyof typeof Units]?: number };

/** Throws a RangeError unless it is a finite time that is not negative. */
export function millisecondsOf(timedelta: Timedelta): number {
  const ms =
    typeof timedelta === "number"
      ? timedelta
      : Object.entries(timedelta).reduce((sum, [unit, n]) => sum + n * unitOf(unit), 0);
  if (!(ms >= 0 && ms < Infinity)) throw new RangeError(`${ms} ms is no length of time`);
  return ms;
}

function unitOf(name: string): number {
  if (Object.hasOwn(Units, name)) return Units[name as keyof typeof Units];
  throw new RangeError(`"${name}" is no unit of time: ${Object.keys(Units).join(", ")}`);
}
