import { expect, test } from "vitest";
import type { MetricReport } from "#lib/telemetry/meter.ts";
import type { SeriesValue } from "#lib/telemetry/series.ts";
import { METRICS } from "#lib/telemetry/metrics.ts";
import { meter, reportNow } from "#platform/telemetry.ts";
import { RARE } from "../../helpers/rare-metrics.ts";

/** Everything that was counted since the last time. */
async function counted(): Promise<Map<string, readonly SeriesValue[]>> {
  const all = new Map<string, readonly SeriesValue[]>();
  const report = async ({ differences }: MetricReport) => {
    for (const [name, series] of Object.entries(differences)) all.set(name, series);
  };
  const env = { TELEMETRY_HUB: { getByName: () => ({ report }) } };
  while (meter.hasNews) await reportNow("test", env);
  return all;
}

test.each(Object.keys(RARE))("what is rare is counted as %s", async (name) => {
  expect(METRICS.flatMap(({ metrics }) => metrics).map((metric) => metric.name)).toContain(name);
  await counted();
  await RARE[name]!();
  expect((await counted()).get(name)?.map(({ value }) => value)).toEqual([1]);
});
