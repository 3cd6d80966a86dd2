// The panels of a dashboard's file, with what they ask.

import { readFileSync } from "node:fs";

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: unknown;
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly targets: readonly { readonly expr: string; readonly datasource: unknown }[];
}

/** Rows, which are headings to Grafana, are left out. */
export function panelsOf(file: string): PanelJson[] {
  const url = new URL(`../../ops/grafana/dashboards/${file}`, import.meta.url);
  const { panels } = JSON.parse(readFileSync(url, "utf8")) as { panels: PanelJson[] };
  return panels.filter(({ type }) => type !== "row");
}
