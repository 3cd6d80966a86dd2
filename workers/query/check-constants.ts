// Asks the engine what it makes of a query's constants, before the query is run.

import { ArrowStreamReader, type ArrowBatch } from "#lib/sql/arrow-stream.ts";
import { type Ast, readAst, writeAst } from "#lib/sql/ast.ts";
import { cellText } from "#lib/sql/cell-text.ts";
import { checkCasts, checkTimeZones, timeZonesOf } from "#lib/sql/text-constants.ts";
import type { SqlEngine } from "#lib/sql/engine.ts";

/** Throws `sql_invalid` for a text that is not what it is cast to, or no time zone. */
export async function checkConstants(
  ast: Ast,
  engine: SqlEngine,
  signal: AbortSignal,
): Promise<void> {
  const check = checkCasts(ast);
  if (check !== null) {
    const { columns } = await onlyBatch(check.query, engine, signal);
    check.judge(columns.map(({ buffers }) => (buffers[0]!.getUint8(0) & 1) === 1));
  }
  const zones = timeZonesOf(ast);
  if (zones.length > 0) checkTimeZones(zones, await zoneNames(engine, signal));
}

/** For queries without tables that have one row, or few. */
async function onlyBatch(query: Ast, engine: SqlEngine, signal: AbortSignal): Promise<ArrowBatch> {
  const reader = new ArrowStreamReader();
  const batches: ArrowBatch[] = [];
  for await (const part of engine.run(engine.print(writeAst(query)), new Map(), signal)) {
    batches.push(...reader.read(part));
  }
  return batches[0]!;
}

/** Every engine knows the same ones. By lower-case name; kept because the list takes a while. */
let knownZones: ReadonlyMap<string, string> | null = null;

async function zoneNames(
  engine: SqlEngine,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  if (knownZones !== null) return knownZones;
  const query = readAst(engine.parse("SELECT name FROM pg_timezone_names()"));
  const { columns, rowCount } = await onlyBatch(query, engine, signal);
  const name = cellText(columns[0]!);
  const names = Array.from({ length: rowCount }, (_, row) => JSON.parse(name(row)) as string);
  knownZones = new Map(names.map((one) => [one.toLowerCase(), one]));
  return knownZones;
}
