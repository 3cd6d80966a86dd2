// Where the Parquet files of the local object store lie: they are plain files named by their key.

import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

export interface TableFolder {
  readonly folder: string;
  readonly files: number;
  readonly byteLength: number;
}

/** Every table has a folder, in it one for each day, and in those the files. */
export function findTableFolders(lake: string): TableFolder[] {
  const files = readdirSync(lake, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".parquet"))
    .map((name) => join(lake, name));
  const byTable = Map.groupBy(files, (file) => dirname(dirname(file)));
  return [...byTable].map(([folder, paths]) => ({
    folder,
    files: paths.length,
    byteLength: paths.reduce((sum, path) => sum + statSync(path).size, 0),
  }));
}
