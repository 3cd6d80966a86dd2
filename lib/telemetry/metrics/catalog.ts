// The catalogs: the only place where files come into being and go.

import { counter, gauge } from "#lib/telemetry/metric.ts";

export const commits = counter(
  "sluice_catalog_commits_total",
  "Commits of segments to the catalog.",
);
export const commitsRepeated = counter(
  "sluice_catalog_commits_repeated_total",
  "Segments that were committed before; nothing changed.",
);
export const commitRefusals = counter(
  "sluice_catalog_commit_refusals_total",
  "Commits refused, by code: another was faster, or the table is gone.",
  ["code"],
);
export const filesAdded = counter("sluice_catalog_files_added_total", "Files that became live.");
export const filesRemoved = counter(
  "sluice_catalog_files_removed_total",
  "Files that ceased to be live: merged, rewritten, expired or dropped.",
);
export const schemaChanges = counter(
  "sluice_catalog_schema_changes_total",
  "Requests to make a table or to add columns, also those that changed nothing.",
);
export const snapshots = counter(
  "sluice_catalog_snapshots_total",
  "Lists of files given to queries.",
);
export const objectsDeleted = counter(
  "sluice_gc_objects_deleted_total",
  "Objects deleted from the lake because no file of the catalog is theirs.",
);
export const gcRuns = counter("sluice_gc_runs_total", "Runs of the garbage collection.");
export const gcFailures = counter("sluice_gc_failures_total", "Such runs that failed.");

export const files = gauge("sluice_catalog_files", "Live files.", ["database"]);
export const fileBytes = gauge("sluice_catalog_file_bytes", "Bytes of all live files.", [
  "database",
]);
export const fileRows = gauge("sluice_catalog_file_rows", "Rows of all live files.", ["database"]);
export const tables = gauge("sluice_catalog_tables", "Measurements.", ["database"]);
export const databases = gauge("sluice_catalog_databases", "Databases.");
export const version = gauge(
  "sluice_catalog_version",
  "Version of the catalog; every commit makes a new one.",
  ["database"],
  "max",
);
