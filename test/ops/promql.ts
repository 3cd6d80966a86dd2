// What a PromQL expression speaks of, by Prometheus' own grammar.

import { parser } from "@prometheus-io/lezer-promql";
import type { Metric } from "#lib/telemetry/metric.ts";
import { METRICS } from "#lib/telemetry/metrics.ts";

interface Selector {
  readonly name: string;
  /** Of its matchers. */
  readonly labels: readonly string[];
  /** The functions that it is in, the outermost first. */
  readonly functions: readonly string[];
  /** What the aggregations around it group by. */
  readonly groupedBy: readonly string[];
}

const BY_NAME = new Map(METRICS.flatMap(({ metrics }) => metrics).map((one) => [one.name, one]));
const OF_TARGET = ["job", "instance"];
const FOR_COUNTERS = new Set(["rate", "irate", "increase", "resets"]);
const FOR_GAUGES = new Set(["delta", "idelta", "deriv", "predict_linear"]);

/** Throws at what is no PromQL. Grafana's own variables are to be filled in before. */
export function selectorsOf(expression: string): Selector[] {
  const found: Selector[] = [];
  const open: { type: string; function: string; labels: string[] }[] = [];
  let matched: string[] = [];
  const text = (node: { from: number; to: number }) => expression.slice(node.from, node.to);
  parser.parse(expression).iterate({
    enter(cursor) {
      const { node } = cursor;
      const type = cursor.type;
      if (type.isError) throw new Error(`no PromQL at ${cursor.from}: ${expression}`);
      const isCall = type.name === "FunctionCall";
      const modifier = type.name === "AggregateExpr" ? node.getChild("AggregateModifier") : null;
      const names = modifier?.getChild("GroupingLabels")?.getChildren("LabelName") ?? [];
      open.push({
        type: type.name,
        function: isCall ? text(node.getChild("FunctionIdentifier")!) : "",
        labels: names.map(text),
      });
      if (type.name === "VectorSelector") matched = [];
      if (type.name === "LabelName" && open.some((one) => one.type === "LabelMatchers")) {
        matched.push(text(cursor));
      }
      if (type.name !== "VectorSelector") return;
      found.push({
        name: text(node.getChild("Identifier")!),
        labels: matched,
        functions: open.map((one) => one.function).filter((name) => name !== ""),
        groupedBy: open.flatMap((one) => one.labels),
      });
    },
    leave() {
      open.pop();
    },
  });
  return found;
}

/** What is wrong with an expression over our metrics; `recorded`: names that rules make. */
export function faultsOf(expression: string, recorded: ReadonlySet<string>): string[] {
  return selectorsOf(expression).flatMap((selector) => {
    const { name } = selector;
    if (recorded.has(name) || name === "up") return [];
    const base = name.replace(/_(?:bucket|count|sum)$/, "");
    const metric = BY_NAME.get(name) ?? BY_NAME.get(base);
    if (metric === undefined) return [`${name}: there is no such metric`];
    return [...labelFaults(selector, metric), ...kindFaults(selector, metric)];
  });
}

function labelFaults({ name, labels, groupedBy }: Selector, metric: Metric): string[] {
  const known = [...OF_TARGET, ...metric.labels, ...(name.endsWith("_bucket") ? ["le"] : [])];
  return [...labels, ...groupedBy]
    .filter((label) => !known.includes(label))
    .map((label) => `${name}: it has no label ${label}`);
}

function kindFaults({ name, functions }: Selector, metric: Metric): string[] {
  const isPart = name !== metric.name;
  if (isPart !== (metric.kind === "histogram")) return [`${name}: ${metric.kind} has no such part`];
  const isGauge = metric.kind === "gauge";
  return functions
    .filter((one) => (isGauge ? FOR_COUNTERS : FOR_GAUGES).has(one))
    .map((one) => `${name}: ${one} is not for a ${metric.kind}`);
}
