// Dashboard 2: questions. By kind, not by text: texts have no bound, and GET /api/v1/queries shows
// the single query.

import * as query from "#lib/telemetry/metrics/query.ts";
import { dashboard, graph, heatmap, number, stack } from "./panels.ts";
import { buckets, level, orZero, perSecond, quantile, sumPerSecond } from "./promql.ts";

const KIND = { kind: '=~"$kind"' } as const;

export const queries = dashboard(
  {
    uid: "sluice-queries",
    title: "Sluice / Queries",
    description: "How many are asked, how long they take, what they read, and why some fail.",
    filters: [{ label: "kind", metric: query.started }],
  },
  [
    {
      title: "Now",
      panels: [
        number(
          { title: "Queries a second", unit: "reqps", help: "Begun." },
          perSecond(query.started, [], KIND),
        ),
        number(
          { title: "Running", unit: "none", help: "They run, or wait for an engine." },
          level(query.running),
        ),
        number(
          { title: "p99", unit: "s", help: "One in a hundred takes this long or longer." },
          quantile(0.99, query.seconds, [], KIND),
          { warning: 1, critical: 5 },
        ),
        number(
          { title: "Failed", unit: "percentunit", help: "Of those begun; wrong SQL included." },
          `(${orZero(perSecond(query.errors, [], KIND))}) / ${perSecond(query.started, [], KIND)}`,
          { warning: 0.05, critical: 0.2 },
        ),
        number(
          { title: "Slow", unit: "percentunit", help: "Took longer than a second." },
          `(${orZero(perSecond(query.slow, [], KIND))}) / ${perSecond(query.started, [], KIND)}`,
          { warning: 0.1, critical: 0.5 },
        ),
        number(
          { title: "Found in the cache", unit: "percentunit", help: "Ranges of files, by number." },
          `${perSecond(query.cacheHits)} / ` +
            `(${perSecond(query.cacheHits)} + ${perSecond(query.cacheMisses)})`,
        ),
      ],
    },
    {
      title: "How many, how long",
      panels: [
        stack(
          { title: "Queries a second", unit: "reqps", help: "Begun, by kind." },
          { expression: perSecond(query.started, ["kind"], KIND), legend: "{{kind}}" },
        ),
        graph(
          { title: "Time", unit: "s", help: "From arrival in the query Worker to the last row." },
          { expression: quantile(0.5, query.seconds, ["kind"], KIND), legend: "p50 {{kind}}" },
          { expression: quantile(0.95, query.seconds, ["kind"], KIND), legend: "p95 {{kind}}" },
          { expression: quantile(0.99, query.seconds, ["kind"], KIND), legend: "p99 {{kind}}" },
        ),
        heatmap(
          { title: "Times", unit: "s", help: "How they are spread." },
          buckets(query.seconds, [], KIND),
        ),
        stack(
          {
            title: "Where the time goes",
            unit: "s",
            help: "Seconds spent in each stage, per second. 1 s/s is one engine that never rests.",
          },
          {
            expression: sumPerSecond(query.stageSeconds, ["stage"]),
            legend: "{{stage}}",
          },
        ),
      ],
    },
    {
      title: "Failures",
      panels: [
        stack(
          { title: "Errors a second", unit: "reqps", help: "By code; docs/errors.md." },
          { expression: perSecond(query.errors, ["code"], KIND), legend: "{{code}}" },
        ),
        stack(
          { title: "Ends", unit: "reqps", help: "Done, abandoned by the caller, or an error." },
          { expression: perSecond(query.finished, ["outcome"], KIND), legend: "{{outcome}}" },
        ),
        graph(
          { title: "Cancelled and late", unit: "reqps", help: "On request, and by the deadline." },
          { expression: perSecond(query.cancelled), legend: "cancelled" },
          { expression: perSecond(query.timedOut), legend: "deadline" },
          { expression: perSecond(query.slow, ["kind"], KIND), legend: "over a second: {{kind}}" },
        ),
        graph(
          {
            title: "Waiting for an engine",
            unit: "s",
            help: "An isolate has two engines; more queries than that wait.",
          },
          { expression: quantile(0.5, query.engineWaitSeconds), legend: "p50" },
          { expression: quantile(0.95, query.engineWaitSeconds), legend: "p95" },
          { expression: quantile(0.99, query.engineWaitSeconds), legend: "p99" },
        ),
      ],
    },
    {
      title: "What they read",
      panels: [
        stack(
          { title: "Bytes read", unit: "Bps", help: "From the object store, or from a cache." },
          { expression: perSecond(query.bytesRead, ["source"]), legend: "{{source}}" },
        ),
        stack(
          {
            title: "Files",
            unit: "ops",
            help: "Considered = read + left out by time or statistics.",
          },
          { expression: perSecond(query.filesRead), legend: "read" },
          { expression: perSecond(query.filesPruned, ["reason"]), legend: "left out: {{reason}}" },
        ),
        stack(
          { title: "Row groups of files that were read", unit: "ops", help: "Read or left out." },
          { expression: perSecond(query.rowGroupsRead), legend: "read" },
          { expression: perSecond(query.rowGroupsPruned), legend: "left out" },
        ),
        graph(
          { title: "Rows", unit: "rowsps", help: "Answered, and taken from the log." },
          { expression: perSecond(query.rowsReturned), legend: "answered" },
          { expression: perSecond(query.tailRows), legend: "from the log" },
        ),
      ],
    },
    {
      title: "Buffers of the engine",
      panels: [
        graph(
          { title: "Memory", unit: "bytes", help: "Engines, and ranges kept from query to query." },
          { expression: level(query.engineMemoryBytes), legend: "engines" },
          { expression: level(query.cacheBytes), legend: "ranges" },
        ),
        stack(
          { title: "Ranges of files", unit: "ops", help: "Found in a cache, or read." },
          { expression: perSecond(query.cacheHits), legend: "found" },
          { expression: perSecond(query.cacheMisses), legend: "read" },
        ),
        stack(
          { title: "Bytes answered", unit: "Bps", help: "By format." },
          { expression: perSecond(query.bytesReturned, ["format"]), legend: "{{format}}" },
        ),
        graph(
          { title: "Engines started", unit: "ops", help: "Many mean that isolates do not live." },
          { expression: perSecond(query.engineStarts), legend: "starts" },
        ),
      ],
    },
  ],
);
