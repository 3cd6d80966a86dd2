// The few kinds of panel that our dashboards are made of, and the frame around them.
//
// A dashboard imports with one click: its uid is fixed, its data source is a variable that Grafana
// fills in, and every panel's size, number and colours follow from here.

import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as HeatmapBuilder } from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { reports } from "#lib/telemetry/metrics/runtime.ts";

export interface Frame {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Variables that narrow it down, each the values of one label of one metric. */
  readonly filters: readonly {
    readonly label: string;
    readonly metric: { readonly name: string };
  }[];
}
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}
export interface Query {
  readonly expression: string;
  /** Grafana's pattern, e.g. `{{kind}}`. */
  readonly legend: string;
}
/** Grafana's name of a unit, those that we use. */
export type Unit =
  | "short"
  | "s"
  | "bytes"
  | "Bps"
  | "percentunit"
  | "reqps"
  | "rowsps"
  | "cps"
  | "ops"
  | "none";
interface Look {
  readonly title: string;
  /** What it means, for someone who sees it for the first time. */
  readonly help: string;
  readonly unit: Unit;
}
type Panel = TimeseriesBuilder | StatBuilder | HeatmapBuilder;

const TAG = "sluice";
const SOURCE = { type: "prometheus", uid: "${datasource}" };
const STAT = { width: 4, height: 4 };
const GRAPH = { width: 12, height: 8 };

export function dashboard(
  { uid, title, description, filters }: Frame,
  rows: readonly Row[],
): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .timezone("browser")
    .refresh("30s")
    .time({ from: "now-1h", to: "now" })
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder("Sluice")
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .keepTime(true)
        .includeVars(true),
    )
    .withVariable(
      new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"),
    )
    .withVariable(
      labelVariable("instance", "Deployment", `label_values(${reports.name}, instance)`),
    );
  for (const { label, metric } of filters) {
    const values = `label_values(${metric.name}{instance="$instance"}, ${label})`;
    const variable = labelVariable(label, capitalised(label), values);
    builder.withVariable(variable.multi(true).includeAll(true).allValue(".*").current(ALL));
  }
  let id = 0;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) builder.withPanel(panel.id(++id));
  }
  return builder.build();
}

const ALL = { selected: true, text: "All", value: "$__all" };

function labelVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCE)
    .query({ query, refId: name })
    .refresh(VariableRefresh.OnTimeRangeChanged);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Lines over time. */
export function graph(
  { title, help, unit }: Look,
  ...queries: readonly Query[]
): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(help)
    .datasource(SOURCE)
    .unit(unit)
    .min(0)
    .span(GRAPH.width)
    .height(GRAPH.height)
    .lineWidth(1)
    .fillOpacity(10)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["mean", "max", "lastNotNull"]),
    )
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    );
  for (const [at, query] of queries.entries()) panel.withTarget(target(query, at));
  return panel;
}

/** Lines on top of each other, where their sum means something. */
export function stack(look: Look, ...queries: readonly Query[]): TimeseriesBuilder {
  return graph(look, ...queries)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal))
    .fillOpacity(40);
}

/** One number now. From `warning` and `critical` on it is yellow and red; below, when they fall. */
export function number(
  { title, help, unit }: Look,
  expression: string,
  levels?: { readonly warning: number; readonly critical: number },
): StatBuilder {
  return new StatBuilder()
    .title(title)
    .description(help)
    .datasource(SOURCE)
    .unit(unit)
    .span(STAT.width)
    .height(STAT.height)
    .graphMode(BigValueGraphMode.Area)
    .colorMode(levels === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(stepsOf(levels)))
    .withTarget(target({ expression, legend: "" }, 0));
}

/** A text that a label carries, not the number behind it. */
export function label({ title, help }: Omit<Look, "unit">, query: Query): StatBuilder {
  return new StatBuilder()
    .title(title)
    .description(help)
    .datasource(SOURCE)
    .unit("none")
    .span(STAT.width)
    .height(STAT.height)
    .textMode(BigValueTextMode.Name)
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.None)
    .withTarget(target(query, 0));
}

function stepsOf(levels?: { readonly warning: number; readonly critical: number }) {
  if (levels === undefined) return [{ value: null, color: "text" }];
  const { warning, critical } = levels;
  return critical >= warning
    ? [
        { value: null, color: "green" },
        { value: warning, color: "yellow" },
        { value: critical, color: "red" },
      ]
    : [
        { value: null, color: "red" },
        { value: critical, color: "yellow" },
        { value: warning, color: "green" },
      ];
}

/** How a histogram's values are spread, over time. `expression` gives its buckets by `le`. */
export function heatmap({ title, help, unit }: Look, expression: string): HeatmapBuilder {
  const query = target({ expression, legend: "{{le}}" }, 0).format(PromQueryFormat.Heatmap);
  return new HeatmapBuilder()
    .title(title)
    .description(help)
    .datasource(SOURCE)
    .unit(unit)
    .span(GRAPH.width)
    .height(GRAPH.height)
    .withTarget(query);
}

function target({ expression, legend }: Query, at: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(SOURCE)
    .refId(String.fromCharCode(65 + at))
    .expr(expression)
    .legendFormat(legend)
    .range();
}
