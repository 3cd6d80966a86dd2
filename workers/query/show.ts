// SHOW DATABASES and SHOW TABLES, in Arc's columns.

import { SluiceError } from "#lib/base/errors.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { matchesAny } from "#lib/directory/permissions.ts";
import { float64Column, int64Column, textColumn } from "#lib/sql/arrow-columns.ts";
import type { ArrowBatch } from "#lib/sql/arrow-stream.ts";
import type { ShowStatement } from "#lib/sql/show.ts";
import type { AskedQuestion, QueryPorts } from "./run-query.ts";

type ShowPorts = Pick<QueryPorts, "listDatabases" | "openDatabase">;

/** Only what the caller may read. An unknown database has no tables. */
export async function showRows(
  show: ShowStatement,
  request: AskedQuestion,
  ports: ShowPorts,
): Promise<ArrowBatch> {
  if (show.kind === "tables") {
    return tables(show.database ?? request.database ?? DEFAULT_DATABASE, request, ports);
  }
  const all = await ports.listDatabases();
  const names = all.filter((name) => matchesAny(request.databases, name));
  return { rowCount: names.length, columns: [textColumn("database", names)] };
}

async function tables(name: string, request: AskedQuestion, ports: ShowPorts): Promise<ArrowBatch> {
  if (!matchesAny(request.databases, name)) {
    const message = `Permission denied: read required on database "${name}"`;
    throw new SluiceError("permission_denied", message, { required: "read", database: name });
  }
  const database = await ports.openDatabase(name);
  const summaries = database === null ? [] : await database.listTables();
  const names = summaries.map(({ measurement }) => measurement);
  const columns = [
    textColumn(
      "database",
      names.map(() => name),
    ),
    textColumn("table_name", names),
    textColumn(
      "storage_path",
      names.map((measurement) => `${name}/${measurement}`),
    ),
    int64Column(
      "file_count",
      summaries.map(({ fileCount }) => fileCount),
    ),
    float64Column(
      "total_size_mb",
      summaries.map(({ byteLength }) => megabytes(byteLength)),
    ),
  ];
  return { rowCount: names.length, columns };
}

function megabytes(byteLength: number): number {
  return Math.round(byteLength / 10_000) / 100;
}
