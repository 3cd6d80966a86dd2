// Percentiles of the histogram against those of the sorted values.

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { LatencyHistogram } from "../../../clients/cli/load/histogram.ts";
import { propertyRuns } from "../../helpers/property.ts";

const FRACTIONS = [0.001, 0.25, 0.5, 0.95, 0.99, 0.999, 1];

describe("LatencyHistogram", () => {
  test("is never below the exact percentile, and at most 1/128 above it", () => {
    const microseconds = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 31 }).map((exponent) => 2 ** exponent),
    );
    fc.assert(
      fc.property(fc.array(microseconds, { minLength: 1, maxLength: 400 }), (values) => {
        const histogram = new LatencyHistogram();
        for (const us of values) histogram.recordMs(us / 1_000);
        const sorted = values.toSorted((a, b) => a - b);
        for (const fraction of FRACTIONS) {
          const exact = sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1]!;
          const found = Math.round(histogram.percentileMs(fraction)! * 1_000);
          expect(found).toBeGreaterThanOrEqual(exact);
          expect(found).toBeLessThanOrEqual(exact + exact / 128);
        }
      }),
      propertyRuns(300),
    );
  });

  test("is exact below 256 µs, and at the largest value", () => {
    const histogram = new LatencyHistogram();
    for (let us = 0; us < 256; us++) histogram.recordMs(us / 1_000);
    histogram.recordMs(123_456.789);
    expect(histogram.percentileMs(100 / 257)).toBe(0.099);
    expect(histogram.percentileMs(1)).toBe(123_456.789);
    expect(histogram.count).toBe(257);
  });

  test("counts what is longer than an hour as the longest, and what is below zero as nothing", () => {
    const histogram = new LatencyHistogram();
    histogram.recordMs(1e9);
    expect(histogram.percentileMs(1)).toBe((2 ** 32 - 1) / 1_000);
    histogram.recordMs(-1);
    expect(histogram.percentileMs(0.5)).toBe(0);
  });

  test("has no percentile of nothing", () => {
    expect(new LatencyHistogram().percentileMs(0.5)).toBeNull();
  });
});
