// The API in words, for programs (openapi-document.ts) and for people (docs-page.ts).
//
// Routes, permissions and path parameters come from the route table; what stands here is what a
// table cannot know. A test holds the two together, so that no route is without its words.

import type { Permission } from "#lib/directory/types.ts";
import { ALERT_OPERATIONS } from "./openapi-alerts.ts";
import { CONTINUOUS_QUERY_OPERATIONS } from "./openapi-continuous-queries.ts";
import { EVENT_QUERY_OPERATIONS } from "./openapi-event-queries.ts";
import { EVENT_STREAM_OPERATIONS } from "./openapi-event-stream.ts";
import { STATS_OPERATIONS } from "./openapi-stats.ts";
import { TRIGGER_OPERATIONS } from "./openapi-triggers.ts";
import { UPKEEP_OPERATIONS } from "./openapi-upkeep.ts";

interface Operation {
  readonly summary: string;
  /** Names of query parameters and headers with what they mean. */
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Media types of the request body, with an example of it where it is text. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly answers: Readonly<Record<number, string>>;
}

export interface RouteFacts {
  readonly method: string;
  /** Path parameters as `:name`. */
  readonly path: string;
  readonly permission: Permission | "public";
}

const DATABASE = { "x-arc-database": "the database; `default` when missing" };
const WRITE_HEADERS = {
  ...DATABASE,
  "Idempotency-Key": "the same key and body within 24 hours are stored once",
};
const SQL_BODY = {
  "application/json": {
    sql: "SELECT count(*) FROM system_events WHERE severity = ?",
    params: ["error"],
  },
};
const QUERY_ANSWERS = {
  200: "columns and rows",
  400: "the SQL is wrong or not allowed",
  409: "the query was cancelled",
  422: "the query failed, or needs more than it may",
  504: "it took too long",
};
const TOKEN = { 200: "the token, without its secret", 404: "no such token" };
const ALIVE = { 200: "alive" };

const PARTIAL = { partial: "1: keep the good items or lines, list the others" };
const WRITE_ANSWERS = {
  200: "of a partial write: how many were accepted, and what was rejected",
  204: "stored, durable, visible to the next query",
  409: "the key was used with another body",
  413: "too large",
  429: "too much waits to be flushed; retry after the time given",
  503: "not known to be stored; retry with the same key",
};

const DROP_QUERY = {
  confirm: "true, or nothing is dropped",
  dry_run: "true: say what would be dropped",
};
const DROP_ANSWERS = {
  200: "what was dropped: files, rows, bytes",
  400: "not confirmed",
  503: "begun; send the same request again",
};

const FILE_BODY = {
  "multipart/form-data": "the file as the field `file`, plain, gzip or zstd",
  "application/octet-stream": "the file itself",
};
const TEXT_FILE_BODY = {
  "multipart/form-data":
    "the file as the field `file`, plain, gzip or zstd, up to 500 MB as 100 MB",
  "application/octet-stream": "the file itself",
};
const IMPORT_ANSWERS = {
  200: "imported, durable; the same file again is stored once",
  400: "a parameter is wrong",
  413: "too large",
  422: "the file is not what it should be; names the line, and the rows that are stored before it",
};

function lineProtocol(summary: string, databaseIn: string): Operation {
  const named = databaseIn === "x-arc-database" ? {} : { [databaseIn]: "the database" };
  return {
    summary,
    query: { ...named, precision: "ns (default), us, ms, s; also n, u, m, h", ...PARTIAL },
    headers: WRITE_HEADERS,
    body: { "text/plain": "cpu,host=a load=0.5,cores=8i 1767225600000000000" },
    answers: {
      ...WRITE_ANSWERS,
      400: "not line protocol; names the line",
      422: "a value or type does not fit; names the line",
    },
  };
}

/** By method and path, as in routes.ts. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  "POST /api/v1/write/msgpack": {
    summary: "Store a batch of columns, rows, or a list of both",
    query: PARTIAL,
    headers: WRITE_HEADERS,
    body: {
      "application/msgpack":
        "{m, columns}, {m, t, h, fields, tags}, {batch: [...]} or [...], plain, gzip or zstd",
    },
    answers: {
      ...WRITE_ANSWERS,
      400: "not a batch; says where",
      422: "a value or type does not fit; names column and row, or item",
    },
  },
  "POST /api/v1/write/line-protocol": lineProtocol("Store line protocol", "x-arc-database"),
  "POST /write": lineProtocol("Store line protocol, as InfluxDB 1 takes it", "db"),
  "POST /api/v2/write": lineProtocol("Store line protocol, as InfluxDB 2 takes it", "bucket"),
  "POST /api/v1/import/csv": {
    summary: "Import a CSV file",
    query: {
      db: "the database",
      measurement: "the table; required",
      time_column: "the column of the time; `time` when missing",
      time_format: "epoch_s, epoch_ms, epoch_us, epoch_ns or rfc3339; found out when missing",
      delimiter: "one character; a comma when missing",
      skip_rows: "lines before the header",
    },
    headers: DATABASE,
    body: TEXT_FILE_BODY,
    answers: IMPORT_ANSWERS,
  },
  "POST /api/v1/import/lp": {
    summary: "Import a file of line protocol",
    query: { db: "the database", precision: "ns (default), us, ms, s; also n, u, m, h" },
    headers: DATABASE,
    body: TEXT_FILE_BODY,
    answers: IMPORT_ANSWERS,
  },
  "POST /api/v1/import/parquet": {
    summary: "Import a Parquet file",
    query: {
      db: "the database",
      measurement: "the table; required",
      time_column: "the column of the time; `time` when missing",
      time_format: "of a time that is an integer or text: as for CSV",
    },
    headers: DATABASE,
    body: FILE_BODY,
    answers: { ...IMPORT_ANSWERS, 422: "not a Parquet file that can be read; says where" },
  },
  "POST /api/v1/query": {
    summary: "Run one SELECT, DESCRIBE, SUMMARIZE or EXPLAIN, or SHOW DATABASES, SHOW TABLES",
    headers: { ...DATABASE, Accept: "asks for a format where the body's `format` does not" },
    body: {
      "application/json": {
        sql: "SELECT count(*) FROM system_events WHERE severity = ?",
        params: ["error"],
        format: "json",
        int64: "number",
      },
    },
    answers: QUERY_ANSWERS,
  },
  "POST /api/v1/query/arrow": {
    summary: "The same, answered as an Arrow IPC stream",
    headers: DATABASE,
    body: SQL_BODY,
    answers: QUERY_ANSWERS,
  },
  "POST /api/v1/query/msgpack": {
    summary: "The same, answered as a MessagePack map of columns",
    headers: DATABASE,
    body: SQL_BODY,
    answers: QUERY_ANSWERS,
  },
  "POST /api/v1/query/estimate": {
    summary: "How many rows a query has, and how much of a warning that deserves",
    headers: DATABASE,
    body: SQL_BODY,
    answers: QUERY_ANSWERS,
  },
  "GET /api/v1/query/:measurement": {
    summary: "Rows of a measurement",
    headers: DATABASE,
    query: {
      database: "the database, before the header",
      limit: "rows; 100 when missing",
      offset: "rows left out first",
      order_by: "SQL behind ORDER BY; `time DESC` when missing",
      where: "SQL behind WHERE",
      format: "as in POST /api/v1/query",
    },
    answers: QUERY_ANSWERS,
  },
  "GET /api/v1/tail/:measurement": {
    summary: "Rows of a measurement as they are acknowledged, as Server-Sent Events",
    headers: { ...DATABASE, "Last-Event-ID": "go on behind this message" },
    query: {
      database: "the database, before the header",
      rows: "start with so many of the last rows that the log holds",
      columns: "names with commas between; all when missing",
      where: "column:value; may be there several times, and all have to hold",
      last_event_id: "for clients that cannot set the header",
    },
    answers: {
      200: "messages: rows, and `gap` and `end`",
      400: "a parameter is wrong; names it",
      404: "no such database or measurement",
    },
  },
  "GET /api/v1/queries/active": {
    summary: "Queries that run or wait, and last: an admin sees all, others their token's",
    answers: { 200: "queries and their number" },
  },
  "GET /api/v1/queries/history": {
    summary: "Queries that lasted and have ended, with their outcome, the newest first",
    answers: { 200: "queries and their number" },
  },
  "GET /api/v1/queries/:id": {
    summary: "One query; its id is in the header X-Arc-Query-ID of its answer",
    answers: { 200: "the query", 404: "no such query" },
  },
  "DELETE /api/v1/queries/:id": {
    summary: "Cancel a query; it ends with the code query_cancelled",
    answers: { 202: "it ends within a second", 404: "no such query runs" },
  },
  "GET /api/v1/measurements": {
    summary: "Measurements of one database, or of all that the token may read",
    query: { database: "one database" },
    answers: { 200: "measurements and their number" },
  },
  "GET /api/v1/databases": {
    summary: "List the databases that the token may read",
    answers: { 200: "databases and their number" },
  },
  "POST /api/v1/databases": {
    summary: "Make a database",
    body: { "application/json": { name: "events" } },
    answers: { 201: "made", 409: "exists already" },
  },
  "GET /api/v1/databases/:database": {
    summary: "One database, with the segments that wait in its buffers",
    answers: { 200: "the database", 404: "no such database" },
  },
  "GET /api/v1/databases/:database/measurements": {
    summary: "Measurements of a database",
    answers: { 200: "measurements and their number", 404: "no such database" },
  },
  "DELETE /api/v1/databases/:database": {
    summary: "Drop a database with all it holds",
    query: DROP_QUERY,
    answers: { ...DROP_ANSWERS, 404: "no such database" },
  },
  "GET /api/v1/databases/:database/measurements/:measurement": {
    summary: "Columns of a measurement: types, NULLs, bounds, when they were seen; of its files",
    query: { distinct: "true: estimate distinct values, too, which reads every row" },
    answers: { 200: "the measurement", 404: "no such database or measurement" },
  },
  "GET /api/v1/databases/:database/measurements/:measurement/files": {
    summary: "Its Parquet files of one version, by key in the bucket, for other engines to read",
    query: { limit: "10,000 when missing, at most 50,000", after: "`next` of the page before" },
    answers: { 200: "files", 404: "no such database or measurement" },
  },
  "DELETE /api/v1/databases/:database/measurements/:measurement": {
    summary: "Drop a measurement with all its rows",
    query: DROP_QUERY,
    answers: { ...DROP_ANSWERS, 404: "no such database or measurement" },
  },
  "PATCH /api/v1/databases/:database/measurements/:measurement": {
    summary: "Rename a measurement",
    body: { "application/json": { name: "cpu_load" } },
    answers: {
      200: "renamed",
      404: "no such database or measurement",
      409: "the new name is taken",
      503: "begun; send the same request again",
    },
  },
  "POST /api/v1/databases/:database/flush": {
    summary: "Write everything acknowledged before to Parquet",
    answers: { 200: "done", 404: "no such database", 503: "not done in time" },
  },
  "GET /api/v1/databases/:database/segments": {
    summary: "Segments of the log that are not in Parquet yet, of all shards",
    answers: { 200: "state, rows, bytes, age, tries and last error", 404: "no such database" },
  },
  "POST /api/v1/databases/:database/segments/:segment/replay": {
    summary: "Try a segment again that was put aside; its rows are in queries at once",
    answers: { 202: "it will be written", 404: "no such database, or no such segment aside" },
  },
  "POST /api/v1/write/line-protocol/flush": {
    summary: "Flush all databases",
    answers: { 200: "done", 503: "not done in time" },
  },
  ...EVENT_QUERY_OPERATIONS,
  ...EVENT_STREAM_OPERATIONS,
  ...CONTINUOUS_QUERY_OPERATIONS,
  ...TRIGGER_OPERATIONS,
  ...ALERT_OPERATIONS,
  ...UPKEEP_OPERATIONS,
  "GET /api/v1/auth/verify": {
    summary: "What the token may do",
    answers: { 200: "its permissions", 401: "not a valid token" },
  },
  "GET /api/v1/auth/tokens": { summary: "List the tokens", answers: { 200: "tokens" } },
  "POST /api/v1/auth/tokens": {
    summary: "Make a token; its text is shown this once",
    body: {
      "application/json": {
        name: "ingest",
        permissions: ["write"],
        databases: ["prod_*"],
        expires_in: "30d",
      },
    },
    answers: { 201: "the token", 400: "a field is wrong; names it", 409: "the name is taken" },
  },
  "GET /api/v1/auth/tokens/:id": { summary: "One token", answers: TOKEN },
  "PATCH /api/v1/auth/tokens/:id": {
    summary: "Change a token; what the body does not name stays as it is",
    body: { "application/json": { permissions: ["read"], expires_in: "7d" } },
    answers: { 200: "the token", 400: "a field is wrong; names it", 404: "no such token" },
  },
  "DELETE /api/v1/auth/tokens/:id": {
    summary: "Delete a token",
    answers: { 200: "deleted", 404: "no such token" },
  },
  "POST /api/v1/auth/tokens/:id/rotate": {
    summary: "Give a token a new secret",
    answers: { 200: "the new text, shown this once", 404: "no such token" },
  },
  "POST /api/v1/auth/tokens/:id/revoke": {
    summary: "Disable a token",
    answers: { 200: "revoked", 404: "no such token" },
  },
  "GET /health": {
    summary: "How every part is, and why",
    answers: { 200: "well, or degraded", 503: "writes cannot be stored" },
  },
  "GET /ping": { summary: "Alive, for clients of InfluxDB", answers: { 204: "alive" } },
  "GET /metrics": {
    summary: "Counts of all isolates, for Prometheus; OpenMetrics where it is asked for",
    answers: { 200: "text" },
  },
  ...STATS_OPERATIONS,
  "GET /live": { summary: "Does it answer?", answers: ALIVE },
  "GET /ready": {
    summary: "Could it store a write now?",
    answers: { 200: "yes", 503: "no, and why" },
  },
  "GET /openapi.json": { summary: "This description", answers: { 200: "OpenAPI 3.1" } },
  "GET /docs": { summary: "This description, to read", answers: { 200: "a page" } },
};
