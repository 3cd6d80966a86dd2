import { expect, test } from "vitest";
import { METRICS } from "#lib/telemetry/metrics.ts";
import { feedersOf, readSources } from "../../scripts/metrics-document.ts";

test("every metric is named by code that could feed it", () => {
  const sources = readSources();
  const unfed = METRICS.flatMap(({ name: group, metrics }) =>
    metrics.filter((metric) => feedersOf(group, metric, sources).length === 0),
  );
  expect(unfed.map(({ name }) => name)).toEqual([]);
});
