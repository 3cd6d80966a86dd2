// docs/metrics.md, from lib/telemetry/metrics/ and from the sources that feed them.

import { readFileSync, readdirSync } from "node:fs";
import { METRICS } from "../lib/telemetry/metrics.ts";
import { type Metric, OPEN_LABELS } from "../lib/telemetry/metric.ts";
import { LIMITS } from "../lib/base/limits.ts";

const ROOT = new URL("../", import.meta.url);

/** Code that runs on the platform; lib is pure and counts nothing, but for the hub itself. */
const FEEDING_FOLDERS = ["workers", "durable-objects", "queue-consumers", "platform", "embedded"];
const HUB = "lib/telemetry/hub.ts";
/** It shows what others have counted. */
const READERS = ["workers/ingest/arc-metrics.ts"];

export function metricsDocument(): string {
  const sources = readSources();
  const count = METRICS.reduce((sum, { metrics }) => sum + metrics.length, 0);
  return [
    "# Metrics",
    "",
    "Generated from [lib/telemetry/metrics/](../lib/telemetry/metrics.ts) and from the code that feeds",
    `them. ${count} metrics at \`GET /metrics\`, as Prometheus text or, on request, as OpenMetrics.`,
    "",
    ...INTRODUCTION,
    ...METRICS.flatMap(({ name, metrics }) => groupSection(name, metrics, sources)),
  ].join("\n");
}

const INTRODUCTION = [
  "- Counts are told by isolates as differences, numbered, and added up in one object. A total is",
  "  stored before it is shown: it never falls, whatever is killed.",
  "- Lost are counts that an isolate had not told when it was killed: those of its last",
  "  `METRICS_EVERY_MS` (1 s) and of the one report that was under way then. What was stored is not",
  "  lost with them. An isolate that is evicted at rest takes no counts with it: as long as it has",
  "  some that are not told, a request or object of its stays behind to tell them.",
  `- Labels that users choose (${[...OPEN_LABELS].join(", ")}) are bounded: the first`,
  `  ${LIMITS.metricSeriesMax.toLocaleString("en-US")} series of a metric keep their labels, what comes after is counted under`,
  "  `_other`. Sums over a metric stay right.",
  "- A counter without labels is there from the start, as 0; one with labels from its first count.",
  "- Gauges of what is stored are asked from the objects that store it, at each scrape.",
  "",
];

/** Path of a source to its text. */
type Sources = ReadonlyMap<string, string>;

export function readSources(): Sources {
  const feeding = FEEDING_FOLDERS.flatMap((folder) => filesBelow(folder));
  const paths = [...feeding.filter((path) => !READERS.includes(path)), HUB];
  return new Map(paths.toSorted().map((path) => [path, readSource(path)]));
}

function filesBelow(folder: string): string[] {
  return readdirSync(new URL(folder, ROOT), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${folder}/${path}`);
}

function readSource(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

function groupSection(group: string, metrics: readonly Metric[], sources: Sources): string[] {
  const definitions = readSource(`lib/telemetry/metrics/${group}.ts`);
  const byName = metrics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rows = byName.map((metric) => {
    const { name, kind, labels, help } = metric;
    const fedBy = feedersOf(group, metric, sources).map((path) => `[${path}](../${path})`);
    const told = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${kind} | ${told} | ${help} | ${fedBy.join(", ")} |`;
  });
  return [
    `## ${group}`,
    "",
    headerOf(definitions),
    "",
    "| name | kind | labels | what it says | fed by |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ];
}

/** Paths of the files that name the metric. */
export function feedersOf(group: string, { name }: Metric, sources: Sources): string[] {
  const definitions = readSource(`lib/telemetry/metrics/${group}.ts`);
  const definition = new RegExp(`export const (\\w+) = \\w+\\(\\s*"${name}"`);
  const exported = definition.exec(definitions)![1]!;
  const feeding = [...sources].filter(([, text]) => names(text, group, exported));
  return feeding.map(([path]) => path);
}

function names(text: string, group: string, exported: string): boolean {
  const imports = new RegExp(`import ([^;]+?) from "[^"]*metrics/${group}\\.ts";`, "g");
  return [...text.matchAll(imports)].some(([, clause]) => {
    const alias = /^\* as (\w+)$/.exec(clause!)?.[1];
    if (alias !== undefined) return new RegExp(`\\b${alias}\\.${exported}\\b`).test(text);
    return new RegExp(`\\b${exported}\\b`).test(clause!);
  });
}

/** The comment that the file begins with, as one line. */
function headerOf(source: string): string {
  const lines = source.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines
    .slice(0, end)
    .map((line) => line.slice(3))
    .join(" ");
}
