// Dashboard 1: is all well? What an operator opens first, and leaves on the wall.

import * as buffer from "#lib/telemetry/metrics/buffer.ts";
import * as events from "#lib/telemetry/metrics/events.ts";
import * as flush from "#lib/telemetry/metrics/flush.ts";
import * as http from "#lib/telemetry/metrics/http.ts";
import * as ingest from "#lib/telemetry/metrics/ingest.ts";
import * as query from "#lib/telemetry/metrics/query.ts";
import * as runtime from "#lib/telemetry/metrics/runtime.ts";
import { dashboard, graph, label, number, stack } from "./panels.ts";
import { level, orZero, perSecond, quantile } from "./promql.ts";

const FAILED = perSecond(http.requests, [], { status: '=~"5.."' });

export const overview = dashboard(
  {
    uid: "sluice-overview",
    title: "Sluice / Overview",
    description: "Is all well? What comes in, what is asked, how fast, and what fails.",
    filters: [],
  },
  [
    {
      title: "Now",
      panels: [
        number(
          { title: "Ready", unit: "none", help: "1 when a write could be stored and flushed." },
          level(http.ready),
          { warning: 1, critical: 0.5 },
        ),
        number(
          { title: "Uptime", unit: "s", help: "Since this deployment first counted anything." },
          level(runtime.uptimeSeconds),
        ),
        number(
          { title: "Rows a second", unit: "rowsps", help: "Stored durably and acknowledged." },
          perSecond(ingest.rowsAccepted),
        ),
        number(
          { title: "Queries running", unit: "none", help: "They run, or wait for an engine." },
          level(query.running),
        ),
        number(
          { title: "Server errors", unit: "percentunit", help: "Requests answered with 5xx." },
          `(${orZero(FAILED)}) / ${perSecond(http.requests)}`,
          { warning: 0.01, critical: 0.05 },
        ),
        number(
          {
            title: "Oldest row not in Parquet",
            unit: "s",
            help: "Queries see it all the same: they read the log too.",
          },
          level(buffer.oldestSeconds),
          { warning: 300, critical: 1800 },
        ),
        label(
          { title: "Version", help: "Of the server that answers." },
          { expression: level(runtime.info, ["version"]), legend: "{{version}}" },
        ),
      ],
    },
    {
      title: "Traffic",
      panels: [
        stack(
          {
            title: "Rows a second",
            unit: "rowsps",
            help: "Accepted + duplicate + rejected = offered; whatever is offered is in one of them.",
          },
          { expression: perSecond(ingest.rowsAccepted), legend: "accepted" },
          { expression: perSecond(ingest.rowsDuplicate), legend: "duplicate" },
          { expression: perSecond(ingest.rowsRejected), legend: "rejected" },
        ),
        stack(
          { title: "Requests a second", unit: "reqps", help: "By HTTP status." },
          { expression: perSecond(http.requests, ["status"]), legend: "{{status}}" },
        ),
        graph(
          {
            title: "Time to acknowledge a write",
            unit: "s",
            help: "Objective: 99 % within half a second.",
          },
          { expression: quantile(0.5, ingest.ackSeconds), legend: "p50" },
          { expression: quantile(0.95, ingest.ackSeconds), legend: "p95" },
          { expression: quantile(0.99, ingest.ackSeconds), legend: "p99" },
        ),
        graph(
          { title: "Time of queries", unit: "s", help: "From arrival to the last row." },
          { expression: quantile(0.5, query.seconds), legend: "p50" },
          { expression: quantile(0.95, query.seconds), legend: "p95" },
          { expression: quantile(0.99, query.seconds), legend: "p99" },
        ),
      ],
    },
    {
      title: "What fails",
      panels: [
        stack(
          {
            title: "Errors a second",
            unit: "reqps",
            help: "By code; docs/errors.md explains each.",
          },
          { expression: perSecond(http.errors, ["code"]), legend: "{{code}}" },
        ),
        graph(
          { title: "Share of errors by route", unit: "percentunit", help: "Answered with a code." },
          {
            expression: `${perSecond(http.errors, ["route"])} / ${perSecond(http.requests, ["route"])}`,
            legend: "{{route}}",
          },
        ),
        graph(
          {
            title: "Objectives: share missed in the last hour",
            unit: "percentunit",
            help: "Allowed over 30 days: acknowledgement and freshness 1 %, loss 0.1 %.",
          },
          {
            expression: 'sluice_slo:errors:ratio_rate1h{instance="$instance"}',
            legend: "{{slo}}",
          },
        ),
        graph(
          { title: "Put aside and inline", unit: "short", help: "Neither should ever grow." },
          {
            expression: level(buffer.segments, [], { state: '="quarantined"' }),
            legend: "segments put aside",
          },
          { expression: perSecond(buffer.inlineFlushes), legend: "inline flushes a second" },
          { expression: level(events.alertsFiring), legend: "built-in alerts that fire" },
        ),
      ],
    },
    {
      title: "Machine",
      panels: [
        stack(
          {
            title: "CPU",
            unit: "percentunit",
            help: "Cores in use by a local server's processes.",
          },
          { expression: perSecond(runtime.processCpuSeconds, ["process"]), legend: "{{process}}" },
        ),
        stack(
          { title: "Memory", unit: "bytes", help: "Resident, of a local server's processes." },
          { expression: level(runtime.processMemoryBytes, ["process"]), legend: "{{process}}" },
        ),
        graph(
          { title: "From row to Parquet", unit: "s", help: "Objective: 99 % within two minutes." },
          { expression: quantile(0.5, flush.freshnessSeconds), legend: "p50" },
          { expression: quantile(0.99, flush.freshnessSeconds), legend: "p99" },
        ),
        graph(
          { title: "Isolates", unit: "none", help: "Heard of within two minutes, by component." },
          { expression: level(runtime.isolates, ["component"]), legend: "{{component}}" },
        ),
      ],
    },
  ],
);
