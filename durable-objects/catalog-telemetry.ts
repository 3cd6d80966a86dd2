// What a catalog says of itself: the only place where its commits and jobs become metrics, and its
// events log lines.

import { isRefusal, type Refusal } from "#lib/base/errors.ts";
import type { TableSummary } from "#lib/catalog/types.ts";
import type { CommitRequest, CommitResult, FileChange } from "#lib/catalog/types.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import { databaseLabel } from "#lib/telemetry/database-label.ts";
import * as catalog from "#lib/telemetry/metrics/catalog.ts";
import * as upkeep from "#lib/telemetry/metrics/upkeep.ts";
import type { RollupChange } from "#lib/upkeep/rollup-types.ts";
import type { Job, JobNumbers } from "#lib/upkeep/types.ts";
import type { UpkeepEvent } from "#lib/upkeep/upkeep.ts";
import type { Log } from "#platform/log.ts";
import { meter } from "#platform/telemetry.ts";

export function countCommit({ files }: CommitRequest, result: CommitResult | Refusal): void {
  if (isRefusal(result)) return meter.add(catalog.commitRefusals, 1, result.refused);
  if (result.isRepeat) return meter.add(catalog.commitsRepeated, 1);
  meter.add(catalog.commits, 1);
  meter.add(catalog.filesAdded, files.length);
}

export function countJobEnd(
  { spec: { kind } }: Job,
  change: FileChange | null,
  result: JobNumbers,
): void {
  countFiles(kind, change?.removes.length ?? 0, change?.adds ?? []);
  if (change !== null) meter.add(upkeep.rowsRemoved, result["rows"] ?? 0, kind);
}

export function countRollupChange({ chunk, adds, rowsWritten }: RollupChange): void {
  countFiles("rollup", chunk.files.length, adds);
  meter.add(upkeep.rollupRows, rowsWritten);
}

function countFiles(
  kind: string,
  removedCount: number,
  adds: readonly { readonly byteLength: number }[],
): void {
  meter.add(catalog.filesAdded, adds.length);
  meter.add(catalog.filesRemoved, removedCount);
  meter.add(upkeep.filesRead, removedCount, kind);
  meter.add(upkeep.filesWritten, adds.length, kind);
  for (const { byteLength } of adds) meter.add(upkeep.bytesWritten, byteLength, kind);
}

export function tellOfUpkeep(event: UpkeepEvent, catalogName: string, log: Log): void {
  const object = { catalog: catalogName };
  if (event.event === "hints_failed") {
    meter.add(upkeep.hintsFailed, 1);
    return log.error(event.event, event.error, object);
  }
  // Tasks of policies and rollups have their number behind a colon.
  const [task] = event.task.split(":") as [string];
  const isDone = event.event === "task_done";
  meter.add(upkeep.tasks, 1, task, isDone ? "done" : "failed");
  if (task === "garbage") meter.add(isDone ? catalog.gcRuns : catalog.gcFailures, 1);
  if (!isDone) return log.error(event.event, event.error, { ...object, task: event.task });
  if (task === "garbage") {
    const { orphans = 0, replaced = 0 } = event.result;
    meter.add(catalog.objectsDeleted, orphans + replaced);
  }
  log.info(event.event, { ...object, task: event.task, ...event.result });
}

/** How it stands right now, for who scrapes. */
export function catalogGauges(
  databaseId: number,
  version: number,
  tables: readonly TableSummary[],
  jobs: readonly Job[],
  nowMs: number,
): FamilyValues[] {
  const database = databaseLabel(databaseId);
  const sum = (key: "fileCount" | "byteLength" | "rowCount") =>
    tables.reduce((total, table) => total + table[key], 0);
  const one = (value: number) => [{ labels: [database], value }];
  const waiting = jobs.filter(({ state }) => state === "queued" || state === "running");
  const kinds = Map.groupBy(waiting, ({ spec, state }) => `${spec.kind} ${state}`);
  const oldestMs = Math.min(nowMs, ...waiting.map(({ createdMs }) => createdMs));
  return [
    { metric: catalog.files, series: one(sum("fileCount")) },
    { metric: catalog.fileBytes, series: one(sum("byteLength")) },
    { metric: catalog.fileRows, series: one(sum("rowCount")) },
    { metric: catalog.tables, series: one(tables.length) },
    { metric: catalog.version, series: one(version) },
    { metric: upkeep.oldestJobSeconds, series: one((nowMs - oldestMs) / 1_000) },
    {
      metric: upkeep.jobs,
      series: [...kinds].map(([key, { length: value }]) => {
        return { labels: [database, ...key.split(" ")], value };
      }),
    },
  ];
}
