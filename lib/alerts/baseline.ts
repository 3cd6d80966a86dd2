// What is usual for this time of the season, and how far from it is unusual.
//
// A season (a week, say) has slots of one bucket each. What is expected of a bucket is the median
// of the values that the same slot had in earlier seasons. How far values stray is the median of
// their absolute deviations (MAD), times 1.4826, which makes it the standard deviation of normal
// noise (Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", 1993; why not mean
// and standard deviation: Leys et al., "Detecting outliers", 2013: one outlier in the history would
// hide the next). A slot has too few values for a steady MAD, so those of neighbouring slots
// count, too, until there are DEVIATIONS_WANTED. Each value's deviation is from the median of the
// others of its slot: that is how it would have been judged, so the spread of the median itself is
// in the scale, and few seasons make it wider and not wrong.
//
// A trend is not followed: a level that changes for good is unusual until the median has moved.

import type { AnomalyTest, Expected } from "./types.ts";

export interface SeriesPoint {
  /** When the bucket begins. */
  readonly timeMs: number;
  readonly value: number;
}

type Season = Pick<AnomalyTest, "bucketMs" | "seasonMs" | "historyMin">;

/** Standard deviation of normal noise, in MADs: 1 over the normal distribution's upper quartile. */
export const MAD_SCALE = 1.4826;
const DEVIATIONS_WANTED = 40;
/** As a share of the median: less is never too far, however steady the history is. */
const TOLERANCE_SHARE_MIN = 0.01;

/** What `history`, buckets before it, says of the one at `timeMs`; null: too little to say. */
export function expectedAt(
  timeMs: number,
  history: readonly SeriesPoint[],
  test: Season & Pick<AnomalyTest, "sensitivity" | "deviationMin">,
): Expected | null {
  const slots = valuesOfSlots(history, test);
  const slot = slotOf(timeMs, test);
  const values = slots.get(slot) ?? [];
  if (values.length < test.historyMin) return null;
  const median = medianOf(values);
  const mad = medianOf(deviationsAround(slot, slots, test));
  const stray = test.sensitivity * MAD_SCALE * mad;
  const floor = Math.max(test.deviationMin, TOLERANCE_SHARE_MIN * Math.abs(median));
  return { median, tolerance: Math.max(stray, floor) };
}

export function isUnusual(
  value: number,
  { median, tolerance }: Expected,
  direction: AnomalyTest["direction"],
): boolean {
  const isAbove = value > median + tolerance && direction !== "below";
  const isBelow = value < median - tolerance && direction !== "above";
  return isAbove || isBelow;
}

function valuesOfSlots(
  history: readonly SeriesPoint[],
  season: Season,
): ReadonlyMap<number, number[]> {
  const slots = new Map<number, number[]>();
  for (const { timeMs, value } of history) {
    const slot = slotOf(timeMs, season);
    const values = slots.get(slot);
    if (values === undefined) slots.set(slot, [value]);
    else values.push(value);
  }
  return slots;
}

function slotOf(timeMs: number, { bucketMs, seasonMs }: Season): number {
  const intoMs = ((timeMs % seasonMs) + seasonMs) % seasonMs;
  return Math.floor(intoMs / bucketMs);
}

/** Those of the slot, and of its neighbours on both sides until there are enough. */
function deviationsAround(
  slot: number,
  slots: ReadonlyMap<number, readonly number[]>,
  { bucketMs, seasonMs }: Season,
): number[] {
  const slotCount = Math.ceil(seasonMs / bucketMs);
  const deviations = deviationsOf(slots.get(slot) ?? []);
  const furthest = Math.floor((slotCount - 1) / 2);
  for (let away = 1; away <= furthest && deviations.length < DEVIATIONS_WANTED; away++) {
    for (const neighbour of [slot - away, slot + away]) {
      const values = slots.get((neighbour + slotCount) % slotCount) ?? [];
      deviations.push(...deviationsOf(values));
    }
  }
  return deviations;
}

/** Of each value from the median of the others. */
function deviationsOf(values: readonly number[]): number[] {
  if (values.length < 2) return [];
  return values.map((value, at) => Math.abs(value - medianOf(values.toSpliced(at, 1))));
}

/** 0 for none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? 0 : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
