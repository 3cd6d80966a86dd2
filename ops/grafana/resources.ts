// Dashboard 4: what it costs. The machine of a local server, the object store, the isolates, and
// what Cloudflare bills.

import * as catalog from "#lib/telemetry/metrics/catalog.ts";
import * as http from "#lib/telemetry/metrics/http.ts";
import * as lake from "#lib/telemetry/metrics/lake.ts";
import * as query from "#lib/telemetry/metrics/query.ts";
import * as runtime from "#lib/telemetry/metrics/runtime.ts";
import * as upkeep from "#lib/telemetry/metrics/upkeep.ts";
import { dashboard, graph, number, stack } from "./panels.ts";
import { level, perSecond, quantile } from "./promql.ts";

const DISK_FREE = level(runtime.diskFreeBytes);

export const resources = dashboard(
  {
    uid: "sluice-resources",
    title: "Sluice / Resources",
    description: "CPU, memory, disk, network, object store, isolates, jobs, billed operations.",
    filters: [],
  },
  [
    {
      title: "Now",
      panels: [
        number(
          { title: "CPU", unit: "percentunit", help: "1 is one core." },
          perSecond(runtime.processCpuSeconds),
        ),
        number(
          { title: "Memory", unit: "bytes", help: "Resident, of a local server's processes." },
          level(runtime.processMemoryBytes),
        ),
        number(
          { title: "Threads", unit: "none", help: "Of a local server's processes." },
          level(runtime.processThreads),
        ),
        number(
          { title: "Disk free", unit: "percentunit", help: "Where a local server keeps its data." },
          `${DISK_FREE} / (${DISK_FREE} + ${level(runtime.diskUsedBytes)})`,
          { warning: 0.15, critical: 0.05 },
        ),
        number(
          { title: "Connections", unit: "none", help: "Open TCP connections to a local server." },
          level(runtime.connections),
        ),
        number(
          { title: "Isolates", unit: "none", help: "Heard of within two minutes." },
          level(runtime.isolates),
        ),
      ],
    },
    {
      title: "Processes",
      panels: [
        stack(
          { title: "CPU", unit: "percentunit", help: "Cores in use, by process." },
          { expression: perSecond(runtime.processCpuSeconds, ["process"]), legend: "{{process}}" },
        ),
        stack(
          { title: "Memory", unit: "bytes", help: "Resident, by process." },
          { expression: level(runtime.processMemoryBytes, ["process"]), legend: "{{process}}" },
        ),
        graph(
          { title: "Threads", unit: "none", help: "By process." },
          { expression: level(runtime.processThreads, ["process"]), legend: "{{process}}" },
        ),
        graph(
          { title: "Open files and sockets", unit: "none", help: "By process." },
          { expression: level(runtime.processOpenFiles, ["process"]), legend: "{{process}}" },
        ),
        graph(
          { title: "Isolates", unit: "none", help: "Heard of within two minutes, by component." },
          { expression: level(runtime.isolates, ["component"]), legend: "{{component}}" },
        ),
        graph(
          { title: "Isolates begun", unit: "ops", help: "Many mean that they do not live." },
          { expression: perSecond(runtime.isolateStarts, ["component"]), legend: "{{component}}" },
        ),
      ],
    },
    {
      title: "Disk and object store",
      panels: [
        stack(
          {
            title: "Disk",
            unit: "bytes",
            help: "Of the file system that a local server writes to.",
          },
          { expression: level(runtime.diskUsedBytes), legend: "used" },
          { expression: DISK_FREE, legend: "free" },
        ),
        graph(
          { title: "Object store: bytes", unit: "Bps", help: "Read from and written to objects." },
          { expression: perSecond(lake.bytesRead), legend: "read" },
          { expression: perSecond(lake.bytesWritten), legend: "written" },
        ),
        stack(
          { title: "Object store: calls", unit: "ops", help: "By operation and outcome." },
          {
            expression: perSecond(lake.operations, ["operation", "outcome"]),
            legend: "{{operation}} {{outcome}}",
          },
        ),
        graph(
          { title: "Object store: time of a call", unit: "s", help: "99 in 100 stay below." },
          { expression: quantile(0.99, lake.seconds, ["operation"]), legend: "{{operation}}" },
        ),
        graph(
          { title: "Live files", unit: "bytes", help: "All databases." },
          { expression: level(catalog.fileBytes), legend: "bytes" },
        ),
        graph(
          { title: "Objects deleted", unit: "ops", help: "No file of the catalog is theirs." },
          { expression: perSecond(catalog.objectsDeleted), legend: "deleted" },
          { expression: perSecond(catalog.gcFailures), legend: "failed runs" },
        ),
      ],
    },
    {
      title: "Network",
      panels: [
        graph(
          { title: "Throughput", unit: "Bps", help: "Bodies of requests, and answers of queries." },
          { expression: perSecond(http.requestBytes), legend: "in" },
          { expression: perSecond(query.bytesReturned), legend: "out" },
        ),
        graph(
          { title: "Connections and requests", unit: "none", help: "Open, and without an answer." },
          { expression: level(runtime.connections), legend: "connections" },
          { expression: level(http.active), legend: "requests" },
        ),
      ],
    },
    {
      title: "Jobs",
      panels: [
        stack(
          { title: "Jobs that wait or run", unit: "none", help: "By kind and state." },
          { expression: level(upkeep.jobs, ["kind", "state"]), legend: "{{kind}} {{state}}" },
        ),
        stack(
          { title: "Jobs ended", unit: "ops", help: "By kind and outcome." },
          {
            expression: perSecond(upkeep.jobsFinished, ["kind", "outcome"]),
            legend: "{{kind}} {{outcome}}",
          },
        ),
        graph(
          { title: "Time of a try", unit: "s", help: "95 in 100 stay below." },
          { expression: quantile(0.95, upkeep.jobSeconds, ["kind"]), legend: "{{kind}}" },
        ),
        graph(
          { title: "Oldest job", unit: "s", help: "That has not ended, by database." },
          { expression: level(upkeep.oldestJobSeconds, ["database"]), legend: "{{database}}" },
        ),
      ],
    },
    {
      title: "Cost",
      panels: [
        stack(
          { title: "Operations by database", unit: "ops", help: "What Cloudflare bills." },
          {
            expression: perSecond(runtime.costOperations, ["database", "operation"]),
            legend: "{{database}} {{operation}}",
          },
        ),
        stack(
          { title: "Operations by token", unit: "ops", help: "Who caused them." },
          {
            expression: perSecond(runtime.costOperations, ["token", "operation"]),
            legend: "{{token}} {{operation}}",
          },
        ),
      ],
    },
  ],
);
