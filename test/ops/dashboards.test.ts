// The dashboards for Grafana: the files are what the code builds, they import as they are, and
// each panel asks for something that there is.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DASHBOARDS, dashboardText } from "../../ops/grafana/build.ts";
import { panelsOf, type PanelJson } from "./panel-queries.ts";
import { faultsOf } from "./promql.ts";
import { recordedNames } from "./rule-files.ts";

const RECORDED = recordedNames();
const FOLDER = new URL("../../ops/grafana/dashboards/", import.meta.url);

describe.each(Object.keys(DASHBOARDS))("%s", (name) => {
  const text = readFileSync(new URL(name, FOLDER), "utf8");
  const dashboard = JSON.parse(text) as {
    id?: number;
    uid: string;
    templating: { list: { name: string; type: string; query: unknown; datasource?: unknown }[] };
  };
  const panels = panelsOf(name);

  test("is fresh (npm run dashboards writes it anew)", () => {
    expect(text).toBe(dashboardText(name));
  });

  test("imports anywhere: no number of its own, a fixed uid, a data source to choose", () => {
    expect(dashboard.id).toBeUndefined();
    expect(dashboard.uid).toBe(`sluice-${name.replace(".json", "")}`);
    const [source, ...others] = dashboard.templating.list;
    expect(source).toMatchObject({ name: "datasource", type: "datasource", query: "prometheus" });
    const own = { type: "prometheus", uid: "${datasource}" };
    for (const variable of others) expect(variable.datasource).toEqual(own);
    for (const panel of panels) {
      expect(panel.datasource).toEqual(own);
      for (const target of panel.targets) expect(target.datasource).toEqual(own);
    }
  });

  test("gives every panel a number, a place of its own, a title, a unit and a word of help", () => {
    const ids = panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const panel of panels) {
      expect(panel.title).toMatch(/\w/);
      expect(panel.description).toMatch(/\w/);
      expect(panel.fieldConfig.defaults.unit).toMatch(/\w/);
      expect(panel.targets.length).toBeGreaterThan(0);
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
    }
    const overlapping = panels.filter((one) => panels.some((other) => overlaps(one, other)));
    expect(overlapping.map(({ title }) => title)).toEqual([]);
  });

  test.each(panels)("$title asks for metrics that there are", ({ targets }) => {
    for (const { expr } of targets) {
      const filled = expr.replaceAll("$__rate_interval", "5m");
      expect(faultsOf(filled, RECORDED)).toEqual([]);
    }
  });
});

function overlaps({ id, gridPos: a }: PanelJson, { id: otherId, gridPos: b }: PanelJson): boolean {
  const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
  return id !== otherId && !apart;
}
