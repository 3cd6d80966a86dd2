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
import type { Constant } from "#lib/catalog/row-predicate.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { matchesAny } from "#lib/directory/permissions.ts";
import { ArrowStreamReader } from "#lib/sql/arrow-stream.ts";
import { type Expression, readAst, replaceTable, writeAst } from "#lib/sql/ast.ts";
import type { DatabaseReader, TableContent } from "#lib/sql/consistent-read.ts";
import { readConsistently } from "#lib/sql/consistent-read.ts";
import { rewriteDateSums } from "#lib/sql/date-sums.ts";
import { addSeconds, splitLists, typeConstants } from "#lib/sql/text-constants.ts";
import { type ColumnTypeOf, rewriteDurations } from "#lib/sql/durations.ts";
import { keepTruncatedNulls } from "#lib/sql/engine-defects.ts";
import { inWordsOfQuery } from "#lib/sql/engine-words.ts";
import type { EngineHold, SqlEngine } from "#lib/sql/engine.ts";
import { readValues, valuesQuery } from "#lib/sql/fixed-values.ts";
import { constantsOf, type Sight, sightsOf } from "#lib/sql/pruning.ts";
import { QueryFiles } from "#lib/sql/query-files.ts";
import { ReadAhead, type ReadPorts } from "#lib/sql/read-ahead.ts";
import { resolveQuery } from "#lib/sql/resolve.ts";
import type { ResultWriter } from "#lib/sql/results/writer.ts";
import type { Resolved, TableReference } from "#lib/sql/scope.ts";
import { scanSql } from "#lib/sql/scan-sql.ts";
import { parseShow } from "#lib/sql/show.ts";
import { materializeSmallCtes } from "#lib/sql/small-ctes.ts";
import { checkSqlLength, readStatement } from "#lib/sql/statement.ts";
import type { QueryCost, QueryRequest } from "#lib/sql/types.ts";
import { checkConstants } from "./check-constants.ts";
import { showRows } from "./show.ts";
import type { Stages } from "./stages.ts";

export interface QueryPorts extends ReadPorts {
  acquireEngine(signal: AbortSignal): Promise<EngineHold>;
  listDatabases(): Promise<string[]>;
  /** null: there is no such database. */
  openDatabase(name: string): Promise<DatabaseReader | null>;
  nowMs(): number;
  /** Tells others of the query as long as it lasts; `cancel` ends it. */
  watch(request: QueryRequest, progress: QueryProgress, cancel: () => void): Watch;
}

export interface Watch {
  /** `done`, or the code of an error. Only the first time counts. */
  end(outcome: string): void;
}

/** How far a query has come; kept up to date by the query. */
export interface QueryProgress {
  stage: "queued" | "running";
  rowCount: number;
  byteCount: number;
  /** null: it has not got so far. */
  cost: QueryCost | null;
}

export function newProgress(): QueryProgress {
  return { stage: "queued", rowCount: 0, byteCount: 0, cost: null };
}

/** What of a request is answered here. */
export type AskedQuestion = Pick<QueryRequest, "question" | "database" | "databases">;

/** The answer's bytes in parts. Throws before the first part, or in the middle of the rows. */
export async function* runQuery(
  request: AskedQuestion,
  ports: Omit<QueryPorts, "watch">,
  writer: ResultWriter,
  stages: Stages,
  progress: QueryProgress,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { question } = request;
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
      progress.rowCount = rows.rowCount;
      yield end(writer, rows.rowCount, false, stages, null);
      return;
    }
  }
  const hold = await ports.acquireEngine(signal);
  stages.end("wait");
  progress.stage = "running";
  try {
    const counted = countRows(writer, progress);
    yield* answerSelect(request, ports, hold, counted, signal, stages, progress);
  } finally {
    hold.release();
  }
}

function countRows(writer: ResultWriter, progress: QueryProgress): ResultWriter {
  return {
    contentType: writer.contentType,
    begin: (fields) => writer.begin(fields),
    end: (totals) => writer.end(totals),
    rows(batch) {
      progress.rowCount += batch.rowCount;
      return writer.rows(batch);
    },
  };
}

async function* answerSelect(
  request: AskedQuestion,
  ports: Pick<QueryPorts, "openDatabase" | keyof ReadPorts>,
  { engine, readAheadBytesMax }: EngineHold,
  writer: ResultWriter,
  signal: AbortSignal,
  stages: Stages,
  progress: QueryProgress,
): AsyncGenerator<Uint8Array, void> {
  const { ast, verb } = readStatement(request.question, engine);
  const resolved = resolveQuery(ast, {
    database: request.database ?? DEFAULT_DATABASE,
    isReadable: (database) => matchesAny(request.databases, database),
  });
  rewriteDateSums(resolved.sums);
  typeConstants(resolved.comparisons, typeOfTime);
  addSeconds(ast);
  const sights = await findSights(resolved.tables, engine, signal);
  stages.end("plan");
  const content = await readTables(resolved.tables, sights, ports);
  stages.end("catalog");
  if (content === null) {
    yield writer.begin([]);
    yield end(writer, 0, false, stages, null);
    return;
  }
  const typeOf = columnTypes(resolved.tables, content.tables);
  rewriteDurations(resolved.sums, typeOf);
  typeConstants(resolved.comparisons, typeOf);
  splitLists(resolved.comparisons, typeOf);
  addSeconds(ast);
  await checkConstants(ast, engine, signal);
  const ahead = new ReadAhead(ports, readAheadBytesMax);
  const isMatch = request.question.kind === "match";
  const files = placeTables(engine, resolved, sights, content.tables, isMatch);
  materializeSmallCtes(ast);
  keepTruncatedNulls(ast);
  const sources = files.open(ahead, resolved.columnNames);
  stages.end("tail");
  ahead.start();
  try {
    const parts = engine.run(`${verb} ${engine.print(writeAst(ast))}`, sources, signal);
    const { rowCount, isTruncated } = yield* answerRows(parts, writer, isMatch);
    stages.end("run");
    const cost: QueryCost = {
      ...content.cost,
      ...ahead.cost,
      tailRows: files.tailRows,
      snapshotVersion: content.version,
      stages: stages.ms,
    };
    progress.cost = cost;
    yield end(writer, rowCount, isTruncated, stages, cost);
  } catch (error) {
    throw inWordsOfQuery(error, resolved.cteNames);
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
  isUnlimited: boolean,
): AsyncGenerator<Uint8Array, { rowCount: number; isTruncated: boolean }> {
  const reader = new ArrowStreamReader();
  let rowCount = 0;
  let hasBegun = false;
  for await (const part of parts) {
    const batches = reader.read(part);
    if (!hasBegun) yield writer.begin(reader.fields);
    hasBegun = true;
    for (const batch of batches) {
      const rowsMax = isUnlimited ? Infinity : LIMITS.queryRowsMax - rowCount;
      const isTooMuch = batch.rowCount > rowsMax;
      yield writer.rows(isTooMuch ? { ...batch, rowCount: rowsMax } : batch);
      rowCount += Math.min(batch.rowCount, rowsMax);
      if (isTooMuch) return { rowCount, isTruncated: true };
    }
  }
  return { rowCount, isTruncated: false };
}

/** The rows that the query can see of each table. */
async function findSights(
  tables: readonly TableReference[],
  engine: SqlEngine,
  signal: AbortSignal,
): Promise<Sight[]> {
  const expressions = constantsOf(tables);
  const constants = await computeConstants(expressions, engine, signal);
  return sightsOf(tables, expressions, constants);
}

/** None: the engine cannot say; then the query itself will be told why, or reads everything. */
async function computeConstants(
  expressions: readonly Expression[],
  engine: SqlEngine,
  signal: AbortSignal,
): Promise<Constant[]> {
  if (expressions.length === 0) return [];
  const reader = new ArrowStreamReader();
  const sql = engine.print(writeAst(valuesQuery(expressions)));
  try {
    for await (const part of engine.run(sql, new Map(), signal)) {
      for (const { columns } of reader.read(part)) return readValues(expressions, columns);
    }
  } catch (error) {
    if (!isSluiceError(error) || !["sql_invalid", "query_failed"].includes(error.code)) throw error;
  }
  return [];
}

interface Tables {
  readonly version: number;
  readonly cost: Pick<
    QueryCost,
    "filesConsidered" | "filesPrunedByTime" | "filesPrunedByStatistics"
  >;
  readonly tables: readonly TableContent[];
}

/** null: one of the tables does not exist, and so the answer is empty, as Arc's is. */
async function readTables(
  references: readonly TableReference[],
  sights: readonly Sight[],
  ports: Pick<QueryPorts, "openDatabase">,
): Promise<Tables | null> {
  const wanted = references.map((reference, at) => ({ reference, sight: sights[at]! }));
  const found = new Map<TableReference, TableContent>();
  let version = 0;
  for (const [name, group] of Map.groupBy(wanted, ({ reference }) => reference.database)) {
    const database = await ports.openDatabase(name);
    if (database === null) return null;
    const tables = group.map(({ reference: { measurement }, sight }) => ({
      measurement,
      ...sight,
    }));
    const read = await readConsistently(database, tables);
    version = Math.max(version, read.version);
    for (const [at, content] of read.tables.entries()) {
      if (content === null) return null;
      found.set(group[at]!.reference, content);
    }
  }
  const tables = references.map((reference) => found.get(reference)!);
  const considered = sum(tables.map(({ fileCount }) => fileCount));
  const timely = sum(tables.map(({ timelyFileCount }) => timelyFileCount));
  const cost = {
    filesConsidered: considered,
    filesPrunedByTime: considered - timely,
    filesPrunedByStatistics: timely - sum(tables.map(({ files }) => files.length)),
  };
  return { version, cost, tables };
}

/** Known before any schema is. */
const typeOfTime: ColumnTypeOf = (_, column) => (column === "time" ? "timestamp" : null);

function columnTypes(
  references: readonly TableReference[],
  contents: readonly TableContent[],
): ColumnTypeOf {
  const types = new Map(
    references.map((reference, at) => {
      const { columns } = contents[at]!.schema;
      return [reference, new Map(columns.map(({ name, type }) => [name.toLowerCase(), type]))];
    }),
  );
  return (table, column) => types.get(table)?.get(column) ?? null;
}

/** Puts what a table is made of into its place in the tree. */
function placeTables(
  engine: SqlEngine,
  { tables: references, columnNames }: Resolved,
  sights: readonly Sight[],
  contents: readonly TableContent[],
  withRowNumbers: boolean,
): QueryFiles {
  const files = new QueryFiles();
  for (const [at, reference] of references.entries()) {
    const content = contents[at]!;
    const schema = neededPart(content.schema, columnNames);
    const sight = sights[at]!;
    const scanned = files.add(schema, content, sight, reference.database);
    const scan = readAst(engine.parse(scanSql(schema, scanned, sight.time, withRowNumbers)));
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

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
