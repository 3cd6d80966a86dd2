// The files of a measurement as the catalog lists them, and what native DuckDB says of their rows.

import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

import { type Caller, callApi } from "../scripts/demo/api.ts";

export interface ListedFile {
  readonly key: string;
  readonly rows: number;
  readonly bytes: number;
}

/** Of one version. */
export async function listFiles(
  admin: Caller,
  database: string,
  measurement: string,
): Promise<ListedFile[]> {
  const path = `/api/v1/databases/${database}/measurements/${measurement}/files?limit=50000`;
  const page = (await callApi(admin, "GET", path)) as { files: ListedFile[]; next: number | null };
  if (page.next !== null) throw new Error("more files than one page of the list has");
  return page.files;
}

/**
 * Number of rows, two sums, and the sum of a hash of all columns of each row: equal for equal rows
 * in any order and any files. `folder` is the server's data.
 */
export async function fingerprint(folder: string, files: readonly ListedFile[]): Promise<string> {
  const paths = files.map(({ key }) => `'${join(folder, "r2", "sluice-lake", key)}'`);
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    const result = await connection.runAndReadAll(
      `SELECT count(*), sum(duration_ms), sum((amount * 100)::BIGINT),
          sum(hash("time", event_type, event_category, severity, source, environment, user_id,
            resource_id, metadata, duration_ms, success, amount)::HUGEINT)
        FROM read_parquet([${paths.join(", ")}], hive_partitioning = false)`,
    );
    return result.getRowsJson()[0]!.join(" ");
  } finally {
    connection.closeSync();
  }
}

export function bytesOf(files: readonly ListedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
