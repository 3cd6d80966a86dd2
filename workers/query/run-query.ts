// Step 9 of a batch's life: SQL to rows.
//
// Parse, resolve, bound, read tails and catalog, put each table's files in its place, run, hand
// the rows to the writer of the format. Everything it touches comes in as functions, so that the
// tests run the same code with the same engine under Node.
//
// Refuses what is not one SELECT (lib/sql/resolve.ts says how), too long, too large or too slow.
// Next: lib/sql/statement.ts.

import { SluiceError, isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { TimeRangeMs } from "#lib/catalog/types.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { matchesAny } from "#lib/directory/permissions.ts";
import { ArrowStreamReader } from "#lib/sql/arrow-stream.ts";
import { type Ast, readAst, replaceTable, writeAst } from "#lib/sql/ast.ts";
import type { DatabaseReader, TableContent } from "#lib/sql/consistent-read.ts";
import { readConsistently } from "#lib/sql/consistent-read.ts";
import { rewriteDateSums } from "#lib/sql/date-sums.ts";
import { rewriteDurations } from "#lib/sql/durations.ts";
import type { EngineHold, SqlEngine } from "#lib/sql/engine.ts";
import { QueryFiles } from "#lib/sql/query-files.ts";
import { type FetchRange, ReadAhead } from "#lib/sql/read-ahead.ts";
import { type Resolved, resolveQuery, type TableReference } from "#lib/sql/resolve.ts";
import type { ResultWriter } from "#lib/sql/results/writer.ts";
import { scanSql } from "#lib/sql/scan-sql.ts";
import { parseShow } from "#lib/sql/show.ts";
import { materializeSmallCtes } from "#lib/sql/small-ctes.ts";
import { checkSqlLength, readStatement } from "#lib/sql/statement.ts";
import { boundsQuery, timeRanges } from "#lib/sql/time-bounds.ts";
import type { QueryCost, QueryRequest } from "#lib/sql/types.ts";
import { showRows } from "./show.ts";

export interface QueryPorts {
  acquireEngine(signal: AbortSignal): Promise<EngineHold>;
  listDatabases(): Promise<string[]>;
  /** null: there is no such database. */
  openDatabase(name: string): Promise<DatabaseReader | null>;
  readonly fetchRange: FetchRange;
  nowMs(): number;
}

/** The answer's bytes in parts. Throws before the first part, or in the middle of the rows. */
export async function* runQuery(
  request: QueryRequest,
  ports: QueryPorts,
  writer: ResultWriter,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { question } = request;
  const stages = new Stages(ports);
  if (question.kind === "sql") {
    checkSqlLength(question);
    const show = parseShow(question.sql);
    if (show !== null && question.isEstimate) {
      throw new SluiceError("sql_not_allowed", "SHOW has no rows to estimate");
    }
    if (show !== null) {
      const rows = await showRows(show, request, ports);
      yield writer.begin(rows.columns.map(({ field }) => field));
      yield writer.rows(rows);
      yield end(writer, rows.rowCount, false, stages, null);
      return;
    }
  }
  const hold = await ports.acquireEngine(signal);
  stages.end("wait");
  try {
    yield* answerSelect(request, ports, hold.engine, writer, signal, stages);
  } finally {
    hold.release();
  }
}

async function* answerSelect(
  request: QueryRequest,
  ports: QueryPorts,
  engine: SqlEngine,
  writer: ResultWriter,
  signal: AbortSignal,
  stages: Stages,
): AsyncGenerator<Uint8Array, void> {
  const { ast, verb } = readStatement(request.question, engine);
  const resolved = resolveQuery(ast, {
    database: request.database ?? DEFAULT_DATABASE,
    isReadable: (database) => matchesAny(request.databases, database),
  });
  rewriteDateSums(resolved.sums);
  const ranges = await findRanges(resolved.tables, engine, signal);
  stages.end("plan");
  const content = await readTables(resolved.tables, ranges, ports);
  stages.end("catalog");
  if (content === null) {
    yield writer.begin([]);
    yield end(writer, 0, false, stages, null);
    return;
  }
  const ahead = new ReadAhead(ports.fetchRange);
  const files = placeTables(engine, resolved, ranges, content.tables);
  materializeSmallCtes(ast);
  const sources = files.open(ahead, resolved.columnNames);
  stages.end("tail");
  ahead.start();
  try {
    const parts = engine.run(`${verb} ${engine.print(writeAst(ast))}`, sources, signal);
    const { rowCount, isTruncated } = yield* answerRows(parts, writer);
    stages.end("run");
    const cost: QueryCost = {
      filesConsidered: content.fileCount,
      ...ahead.cost,
      tailRows: files.tailRows,
      snapshotVersion: content.version,
      stages: stages.ms,
    };
    yield end(writer, rowCount, isTruncated, stages, cost);
  } finally {
    ahead.close();
  }
}

function end(
  writer: ResultWriter,
  rowCount: number,
  isTruncated: boolean,
  stages: Stages,
  cost: QueryCost | null,
): Uint8Array {
  return writer.end({ rowCount, isTruncated, ...stages.times(), cost });
}

/** Yields the beginning of the answer and its rows. */
async function* answerRows(
  parts: AsyncGenerator<Uint8Array, void>,
  writer: ResultWriter,
): AsyncGenerator<Uint8Array, { rowCount: number; isTruncated: boolean }> {
  const reader = new ArrowStreamReader();
  let rowCount = 0;
  let hasBegun = false;
  for await (const part of parts) {
    const batches = reader.read(part);
    if (!hasBegun) yield writer.begin(reader.fields);
    hasBegun = true;
    for (const batch of batches) {
      const rowsMax = LIMITS.queryRowsMax - rowCount;
      const isTooMuch = batch.rowCount > rowsMax;
      yield writer.rows(isTooMuch ? { ...batch, rowCount: rowsMax } : batch);
      rowCount += Math.min(batch.rowCount, rowsMax);
      if (isTooMuch) return { rowCount, isTruncated: true };
    }
  }
  return { rowCount, isTruncated: false };
}

/** The range of time that the query can see of each table. */
async function findRanges(
  tables: readonly TableReference[],
  engine: SqlEngine,
  signal: AbortSignal,
): Promise<TimeRangeMs[]> {
  const query = boundsQuery(tables);
  return timeRanges(tables, query === null ? [] : await computeBounds(query, engine, signal));
}

/** null: the engine cannot say; then the query itself will be told why, or reads everything. */
async function computeBounds(
  query: Ast,
  engine: SqlEngine,
  signal: AbortSignal,
): Promise<(bigint | null)[] | null> {
  const reader = new ArrowStreamReader();
  try {
    for await (const part of engine.run(engine.print(writeAst(query)), new Map(), signal)) {
      for (const { columns } of reader.read(part)) {
        return columns.map(({ validity, buffers }) =>
          validity !== null && (validity[0]! & 1) === 0 ? null : buffers[0]!.getBigInt64(0, true),
        );
      }
    }
  } catch (error) {
    if (!isSluiceError(error) || !["sql_invalid", "query_failed"].includes(error.code)) throw error;
  }
  return null;
}

interface Tables {
  readonly version: number;
  readonly fileCount: number;
  readonly tables: readonly TableContent[];
}

/** null: one of the tables does not exist, and so the answer is empty, as Arc's is. */
async function readTables(
  references: readonly TableReference[],
  ranges: readonly TimeRangeMs[],
  ports: QueryPorts,
): Promise<Tables | null> {
  const wanted = references.map((reference, at) => ({ reference, time: ranges[at]! }));
  const found = new Map<TableReference, TableContent>();
  let version = 0;
  for (const [name, group] of Map.groupBy(wanted, ({ reference }) => reference.database)) {
    const database = await ports.openDatabase(name);
    if (database === null) return null;
    const tables = group.map(({ reference, time }) => ({
      measurement: reference.measurement,
      time,
    }));
    const read = await readConsistently(database, tables);
    version = Math.max(version, read.version);
    for (const [at, content] of read.tables.entries()) {
      if (content === null) return null;
      found.set(group[at]!.reference, content);
    }
  }
  const tables = references.map((reference) => found.get(reference)!);
  const fileCounts = new Map(tables.map(({ schema, fileCount }) => [schema, fileCount]));
  return { version, fileCount: sum(fileCounts.values()), tables };
}

/** Puts what a table is made of into its place in the tree. */
function placeTables(
  engine: SqlEngine,
  { tables: references, sums, columnNames }: Resolved,
  ranges: readonly TimeRangeMs[],
  contents: readonly TableContent[],
): QueryFiles {
  const types = new Map(
    references.map((reference, at) => {
      const { columns } = contents[at]!.schema;
      return [reference, new Map(columns.map(({ name, type }) => [name.toLowerCase(), type]))];
    }),
  );
  rewriteDurations(sums, (table, column) => types.get(table)?.get(column) ?? null);
  const files = new QueryFiles();
  for (const [at, reference] of references.entries()) {
    const content = contents[at]!;
    const schema = neededPart(content.schema, columnNames);
    const scanned = files.add(schema, content, ranges[at]!, reference.database);
    const scan = readAst(engine.parse(scanSql(schema, scanned, ranges[at]!)));
    replaceTable(reference.node, scan.statements[0]!.node);
  }
  return files;
}

/** `time` stays, so that a table that is only counted has a column to count by. */
function neededPart(schema: TableSchema, names: ReadonlySet<string> | null): TableSchema {
  if (names === null) return schema;
  const isNeeded = (name: string) => name === "time" || names.has(name);
  return { ...schema, columns: schema.columns.filter(({ name }) => isNeeded(name.toLowerCase())) };
}

/** Milliseconds since the start and per stage. */
class Stages {
  readonly ms: Record<string, number> = {};
  readonly #ports: QueryPorts;
  readonly #startMs: number;
  #lastMs: number;

  constructor(ports: QueryPorts) {
    this.#ports = ports;
    this.#startMs = this.#lastMs = ports.nowMs();
  }

  end(stage: string): void {
    const nowMs = this.#ports.nowMs();
    this.ms[stage] = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
  }

  times(): { nowMs: number; executionMs: number } {
    const nowMs = this.#ports.nowMs();
    return { nowMs, executionMs: nowMs - this.#startMs };
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
