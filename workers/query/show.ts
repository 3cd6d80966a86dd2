// SHOW DATABASES and SHOW TABLES, in Arc's columns.

import { SluiceError } from "#lib/base/errors.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { matchesAny } from "#lib/directory/permissions.ts";
import { smallAnswer } from "#lib/sql/response.ts";
import type { ShowStatement } from "#lib/sql/show.ts";
import type { QueryRequest } from "#lib/sql/types.ts";
import type { QueryPorts } from "./run-query.ts";

const TABLE_COLUMNS = ["database", "table_name", "storage_path", "file_count", "total_size_mb"];

/** Only what the caller may read. An unknown database has no tables. */
export async function answerShow(
  show: ShowStatement,
  request: QueryRequest,
  ports: QueryPorts,
): Promise<string> {
  const startMs = ports.nowMs();
  const isTables = show.kind === "tables";
  const columns = isTables ? TABLE_COLUMNS : ["database"];
  const rows = isTables
    ? await tables(show.database ?? request.database ?? DEFAULT_DATABASE, request, ports)
    : (await ports.listDatabases())
        .filter((name) => matchesAny(request.databases, name))
        .map((name) => [name]);
  const nowMs = ports.nowMs();
  return smallAnswer(columns, rows, {
    rowCount: rows.length,
    isTruncated: false,
    executionMs: nowMs - startMs,
    nowMs,
    cost: null,
  });
}

async function tables(
  name: string,
  request: QueryRequest,
  ports: QueryPorts,
): Promise<unknown[][]> {
  if (!matchesAny(request.databases, name)) {
    const message = `Permission denied: read required on database "${name}"`;
    throw new SluiceError("permission_denied", message, { required: "read", database: name });
  }
  const database = await ports.openDatabase(name);
  const summaries = database === null ? [] : await database.listTables();
  return summaries.map(({ measurement, fileCount, byteLength }) => {
    const megabytes = Math.round(byteLength / 10_000) / 100;
    return [name, measurement, `${name}/${measurement}`, fileCount, megabytes];
  });
}
