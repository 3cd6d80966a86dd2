// The seasonal baseline on made-up seasons: what is planted is found, what is usual is not.
// `FC_SEED` repeats a run, `SHOW_FIGURES=1` tells the shares that docs/alerting.md states.

import { describe, expect, test } from "vitest";
import { expectedAt, isUnusual, medianOf, type SeriesPoint } from "#lib/alerts/baseline.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

const HOUR = 3_600_000;
const WEEK = 168 * HOUR;
const START = 1_750_000_000_000 - (1_750_000_000_000 % WEEK);
const SEED = Number(process.env["FC_SEED"] ?? 1);
const TEST = {
  bucketMs: HOUR,
  seasonMs: WEEK,
  sensitivity: 5,
  deviationMin: 0,
  historyMin: 4,
};

/** Normal noise, by the method of Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Busy by day, quiet by night and at weekends; noise that grows with the level. */
function weeks(count: number, random: () => number, noise = 0.05): SeriesPoint[] {
  return Array.from({ length: count * 168 }, (_, hour) => {
    const byDay = 1 + Math.sin(((hour % 24) / 12) * Math.PI - Math.PI / 2);
    const level = (200 + 1_000 * byDay) * (hour % 168 >= 120 ? 0.3 : 1);
    return { timeMs: START + hour * HOUR, value: level * (1 + noise * normal(random)) };
  });
}

/** Of every hour of the last week: is it unusual, given all that came before it? */
function judgeLastWeek(points: readonly SeriesPoint[], sensitivity = 5): boolean[] {
  const from = points.length - 168;
  return points.slice(from).map(({ timeMs, value }, at) => {
    const history = points.slice(0, from + at);
    const expected = expectedAt(timeMs, history, { ...TEST, sensitivity });
    return expected !== null && isUnusual(value, expected, "both");
  });
}

describe("the seasonal baseline", () => {
  test("finds planted anomalies of sixteen times the noise, at any hour", () => {
    let planted = 0;
    let found = 0;
    for (let run = 0; run < 10; run++) {
      const random = seededRandom(SEED * 1_000 + run);
      const points = weeks(7, random);
      const from = points.length - 168;
      const hours = Array.from({ length: 6 }, () => Math.floor(random() * 168));
      for (const hour of new Set(hours)) {
        const point = points[from + hour]!;
        points[from + hour] = { ...point, value: point.value * 1.8 };
      }
      const unusual = judgeLastWeek(points);
      planted += new Set(hours).size;
      found += hours.filter((hour, at) => unusual[hour] && hours.indexOf(hour) === at).length;
    }
    if (process.env["SHOW_FIGURES"]) console.log(`found ${found} of ${planted}`);
    expect(found / planted, `FC_SEED=${SEED}`).toBeGreaterThanOrEqual(0.9);
  });

  test("is not fooled by anomalies in its history", () => {
    const points = weeks(7, seededRandom(SEED));
    // The same Tuesday hour was ten times as high in one of the earlier weeks.
    const at = points.length - 168 + 34;
    points[at - 3 * 168] = { ...points[at]!, timeMs: points[at - 3 * 168]!.timeMs, value: 20_000 };
    points[at] = { ...points[at]!, value: points[at]!.value * 0.3 };
    expect(judgeLastWeek(points)[34]).toBe(true);
    expect(judgeLastWeek(points)[35]).toBe(false);
  });

  test.each([
    [5, 0.003],
    [4, 0.01],
    [3, 0.04],
  ])("of %d scaled MADs takes less than a share of %d of the usual for unusual", (k, share) => {
    let judged = 0;
    let wrong = 0;
    for (let run = 0; run < 20; run++) {
      const found = judgeLastWeek(weeks(7, seededRandom(SEED * 1_000 + run)), k);
      judged += found.length;
      wrong += found.filter(Boolean).length;
    }
    if (process.env["SHOW_FIGURES"]) console.log(`sensitivity ${k}: ${wrong} of ${judged}`);
    expect(wrong / judged, `FC_SEED=${SEED}`).toBeLessThan(share);
  });

  test("says nothing before it has seen the slot often enough", () => {
    const points = weeks(4, seededRandom(SEED));
    const { timeMs } = points.at(-1)!;
    expect(expectedAt(timeMs, points.slice(0, -1), TEST)).toBeNull();
    expect(expectedAt(timeMs, points.slice(0, -1), { ...TEST, historyMin: 3 })).not.toBeNull();
  });

  test("takes a hundredth of the level, or the least deviation, for no deviation", () => {
    const steady = weeks(6, seededRandom(SEED), 0).map((one) => ({ ...one, value: 1_000 }));
    const at = (deviationMin: number) =>
      expectedAt(START + 6 * WEEK, steady, { ...TEST, deviationMin })!;
    expect(at(0)).toEqual({ median: 1_000, tolerance: 10 });
    expect(at(50).tolerance).toBe(50);
    expect(isUnusual(1_011, at(0), "both")).toBe(true);
    expect(isUnusual(1_011, at(0), "below")).toBe(false);
    expect(isUnusual(989, at(0), "below")).toBe(true);
    expect(isUnusual(1_010, at(0), "above")).toBe(false);
  });

  test("knows medians", () => {
    expect([medianOf([]), medianOf([3]), medianOf([9, 1]), medianOf([9, 1, 2])]).toEqual([
      0, 3, 5, 2,
    ]);
  });
});
