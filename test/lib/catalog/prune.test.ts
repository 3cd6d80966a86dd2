// What is left out by time: never a span that touches the range, ends included.

import fc from "fast-check";
import { expect, test } from "vitest";
import { meets } from "#lib/catalog/prune.ts";
import { propertyRuns } from "../../helpers/property.ts";

const span = (timeMinMs: number, timeMaxMs: number) => ({ timeMinMs, timeMaxMs });

test("keeps what touches the range, at either end", () => {
  const spans = [span(0, 9), span(10, 19), span(20, 29)];
  expect(spans.filter((one) => meets(one, { minMs: 9, maxMs: 10 }))).toEqual(spans.slice(0, 2));
  expect(spans.filter((one) => meets(one, { minMs: 20, maxMs: null }))).toEqual(spans.slice(2));
  expect(spans.filter((one) => meets(one, { minMs: null, maxMs: -1 }))).toEqual([]);
  expect(spans.filter((one) => meets(one, { minMs: null, maxMs: null }))).toEqual(spans);
});

test("keeps exactly the spans that have a moment in the range", () => {
  const ms = fc.integer({ min: 0, max: 12 });
  const end = fc.option(ms);
  fc.assert(
    fc.property(fc.array(fc.tuple(ms, ms)), end, end, (pairs, minMs, maxMs) => {
      fc.pre((minMs ?? 0) <= (maxMs ?? 12));
      const spans = pairs.map(([a, b]) => span(Math.min(a, b), Math.max(a, b)));
      const moments = Array.from({ length: 13 }, (_, at) => at).filter(
        (at) => at >= (minMs ?? 0) && at <= (maxMs ?? 12),
      );
      const expected = spans.filter((one) =>
        moments.some((at) => at >= one.timeMinMs && at <= one.timeMaxMs),
      );
      expect(spans.filter((one) => meets(one, { minMs, maxMs }))).toEqual(expected);
    }),
    propertyRuns(300),
  );
});
