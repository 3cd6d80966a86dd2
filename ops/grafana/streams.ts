// Dashboard 3: measurements, which are our streams. From a write to its Parquet file, and to those
// who listen.

import * as buffer from "#lib/telemetry/metrics/buffer.ts";
import * as catalog from "#lib/telemetry/metrics/catalog.ts";
import * as events from "#lib/telemetry/metrics/events.ts";
import * as flush from "#lib/telemetry/metrics/flush.ts";
import * as ingest from "#lib/telemetry/metrics/ingest.ts";
import { dashboard, graph, heatmap, number, stack } from "./panels.ts";
import { buckets, level, orZero, perSecond, quantile } from "./promql.ts";

const DATABASE = { database: '=~"$database"' } as const;
const ROWS = { ...DATABASE, measurement: '=~"$measurement"' } as const;

export const streams = dashboard(
  {
    uid: "sluice-streams",
    title: "Sluice / Measurements",
    description: "Each stream of rows: how much comes in, what waits, and what was turned away.",
    filters: [
      { label: "database", metric: ingest.rowsAccepted },
      { label: "measurement", metric: ingest.rowsAccepted },
    ],
  },
  [
    {
      title: "Now",
      panels: [
        number(
          { title: "Rows a second", unit: "rowsps", help: "Stored durably and acknowledged." },
          perSecond(ingest.rowsAccepted, [], ROWS),
        ),
        number(
          { title: "Back-pressure", unit: "cps", help: "Writes refused: too much waits." },
          orZero(perSecond(ingest.backPressure, [], DATABASE)),
          { warning: 0.001, critical: 1 },
        ),
        number(
          { title: "In the log", unit: "bytes", help: "Stored, and not in Parquet yet." },
          level(buffer.bytes, [], DATABASE),
        ),
        number(
          { title: "Oldest row in the log", unit: "s", help: "0 when all is in Parquet." },
          level(buffer.oldestSeconds, [], DATABASE),
          { warning: 300, critical: 1800 },
        ),
        number(
          { title: "Put aside", unit: "none", help: "Segments that could not be written." },
          orZero(level(buffer.segments, [], { ...DATABASE, state: '="quarantined"' })),
          { warning: 1, critical: 1 },
        ),
        number(
          { title: "Listeners", unit: "none", help: "Readers of the stream of events." },
          level(events.readers),
        ),
      ],
    },
    {
      title: "What comes in",
      panels: [
        stack(
          { title: "Rows a second", unit: "rowsps", help: "Accepted, by measurement." },
          {
            expression: perSecond(ingest.rowsAccepted, ["database", "measurement"], ROWS),
            legend: "{{database}}.{{measurement}}",
          },
        ),
        stack(
          { title: "Rows turned away", unit: "rowsps", help: "By code; docs/errors.md." },
          {
            expression: perSecond(ingest.rowsRejected, ["code"], DATABASE),
            legend: "{{code}}",
          },
        ),
        stack(
          { title: "Stored before", unit: "rowsps", help: "Repeated under the same key." },
          {
            expression: perSecond(ingest.rowsDuplicate, ["database", "measurement"], ROWS),
            legend: "{{database}}.{{measurement}}",
          },
        ),
        graph(
          { title: "Back-pressure", unit: "cps", help: "Writes refused with buffer_full." },
          {
            expression: perSecond(ingest.backPressure, ["database"], DATABASE),
            legend: "{{database}}",
          },
        ),
        stack(
          { title: "Writes a second", unit: "reqps", help: "Answered, by protocol." },
          { expression: perSecond(ingest.batchesOffered, ["protocol"]), legend: "{{protocol}}" },
        ),
        graph(
          { title: "Bytes", unit: "Bps", help: "As received, decompressed, and in the log." },
          { expression: perSecond(ingest.bodyBytes), legend: "received" },
          { expression: perSecond(ingest.decodedBytes), legend: "decompressed" },
          { expression: perSecond(buffer.bytesStored, [], DATABASE), legend: "stored" },
        ),
        heatmap(
          { title: "Times to acknowledge", unit: "s", help: "How they are spread." },
          buckets(ingest.ackSeconds),
        ),
        graph(
          { title: "Stages of a write", unit: "s", help: "95 in 100 stay below." },
          { expression: quantile(0.95, ingest.stageSeconds, ["stage"]), legend: "{{stage}}" },
        ),
      ],
    },
    {
      title: "What waits",
      panels: [
        graph(
          { title: "In the log", unit: "bytes", help: "Stored, and not in Parquet yet." },
          { expression: level(buffer.bytes, ["database"], DATABASE), legend: "{{database}}" },
          { expression: level(buffer.bytesLimit), legend: "refused from here on" },
        ),
        graph(
          { title: "Oldest row in the log", unit: "s", help: "Age of the oldest open segment." },
          {
            expression: level(buffer.oldestSeconds, ["database"], DATABASE),
            legend: "{{database}}",
          },
        ),
        stack(
          { title: "Segments", unit: "none", help: "Open, sealed, put aside (quarantined)." },
          { expression: level(buffer.segments, ["state"], DATABASE), legend: "{{state}}" },
        ),
        graph(
          { title: "Commits of the log", unit: "s", help: "Until durable; requests share them." },
          { expression: quantile(0.5, buffer.commitSeconds), legend: "p50" },
          { expression: quantile(0.99, buffer.commitSeconds), legend: "p99" },
        ),
      ],
    },
    {
      title: "To Parquet",
      panels: [
        graph(
          { title: "From row to Parquet", unit: "s", help: "Objective: 99 % within two minutes." },
          { expression: quantile(0.5, flush.freshnessSeconds), legend: "p50" },
          { expression: quantile(0.95, flush.freshnessSeconds), legend: "p95" },
          { expression: quantile(0.99, flush.freshnessSeconds), legend: "p99" },
        ),
        stack(
          { title: "Segments written", unit: "ops", help: "Tries by outcome." },
          { expression: perSecond(flush.segments, ["outcome"]), legend: "{{outcome}}" },
        ),
        graph(
          { title: "Stages of writing one", unit: "s", help: "95 in 100 stay below." },
          { expression: quantile(0.95, flush.stageSeconds, ["stage"]), legend: "{{stage}}" },
        ),
        graph(
          {
            title: "Hints",
            unit: "ops",
            help: "Repeated and inline ones mean a queue in trouble.",
          },
          { expression: perSecond(buffer.hintsSent), legend: "sent" },
          { expression: perSecond(buffer.hintsRepeated), legend: "repeated" },
          { expression: perSecond(buffer.hintsFailed), legend: "not taken" },
          { expression: perSecond(buffer.inlineFlushes), legend: "inline flushes" },
        ),
      ],
    },
    {
      title: "Lake and listeners",
      panels: [
        graph(
          { title: "Files", unit: "none", help: "Live files of the catalog." },
          { expression: level(catalog.files, ["database"], DATABASE), legend: "{{database}}" },
        ),
        stack(
          { title: "Size", unit: "bytes", help: "Bytes of the live files." },
          { expression: level(catalog.fileBytes, ["database"], DATABASE), legend: "{{database}}" },
        ),
        graph(
          { title: "Listeners", unit: "none", help: "Readers of the stream of events." },
          { expression: level(events.readers), legend: "connected" },
        ),
        graph(
          { title: "Events", unit: "ops", help: "Posted, sent to readers, readers dropped." },
          { expression: perSecond(events.posted), legend: "posted" },
          { expression: perSecond(events.streamed), legend: "sent" },
          {
            expression: perSecond(events.readersDropped, ["reason"]),
            legend: "readers dropped: {{reason}}",
          },
        ),
      ],
    },
  ],
);
