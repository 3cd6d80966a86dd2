// The isolates and, where there is one, the machine they run on.

import { counter, gauge } from "#lib/telemetry/metric.ts";

export const isolateStarts = counter(
  "sluice_isolate_starts_total",
  "Isolates that have begun to report, by component; `machine` is a local server's supervisor.",
  ["component"],
);
export const reports = counter(
  "sluice_telemetry_reports_total",
  "Reports of isolates that were added to the totals.",
);
export const spansRecorded = counter("sluice_telemetry_spans_total", "Spans recorded.");
export const spansDropped = counter(
  "sluice_telemetry_spans_dropped_total",
  "Spans let go, by reason: full, unreachable, refused.",
  ["reason"],
);
export const logs = counter("sluice_telemetry_logs_total", "Log records, by level.", ["level"]);
export const logsDropped = counter(
  "sluice_telemetry_logs_dropped_total",
  "Log records that were printed and not sent on, by reason: full, unreachable, refused.",
  ["reason"],
);
export const exports = counter(
  "sluice_telemetry_exports_total",
  "Tries to send spans or logs on, by destination (otlp, own) and outcome (taken, later, refused).",
  ["destination", "signal", "outcome"],
);
export const costOperations = counter(
  "sluice_cost_operations_total",
  "Operations that Cloudflare bills, by who caused them.",
  ["database", "token", "operation"],
);

export const isolates = gauge(
  "sluice_isolates",
  "Isolates that have reported within two minutes; `machine` is a local server's supervisor.",
  ["component"],
);
export const uptimeSeconds = gauge(
  "sluice_uptime_seconds",
  "Time since the hub of the counts came up: it goes with the server, and when all is idle.",
  [],
  "max",
);
export const info = gauge(
  "sluice_info",
  "The version that answers, as a label; the value is always 1.",
  ["version"],
  "max",
);
export const processStartTime = gauge(
  "sluice_process_start_time_seconds",
  "When the processes of a local server were started, as Unix time.",
  ["process"],
  "max",
);
export const processCpuSeconds = counter(
  "sluice_process_cpu_seconds_total",
  "CPU time of the processes of a local server.",
  ["process"],
);
export const processMemoryBytes = gauge(
  "sluice_process_memory_bytes",
  "Resident memory of the processes of a local server.",
  ["process"],
);
export const processThreads = gauge(
  "sluice_process_threads",
  "Threads of the processes of a local server.",
  ["process"],
);
export const processOpenFiles = gauge(
  "sluice_process_open_files",
  "Open files and sockets of the processes of a local server.",
  ["process"],
);
export const connections = gauge(
  "sluice_connections_active",
  "Open TCP connections to a local server.",
);
export const diskFreeBytes = gauge(
  "sluice_disk_free_bytes",
  "Free bytes where a local server keeps its data.",
);
export const diskUsedBytes = gauge(
  "sluice_disk_used_bytes",
  "Used bytes of the file system where a local server keeps its data.",
);
