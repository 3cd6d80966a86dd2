// The seeded tables in Sluice and in native DuckDB, and how either is asked.

import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBTimestampValue,
} from "@duckdb/node-api";
import { KIND, type ScannedColumn } from "#lib/columnar/kinds.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { QueryWorld } from "../helpers/query-world.ts";
import { type Cell, nativeCell, parseExactly, type Rows } from "./cells.ts";
import type { SeededTable } from "./data.ts";

/** Where the rows lie when the query comes. */
export const LAYOUTS = ["in the tail", "in files", "in files and the tail"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** An answer, or the reason why there is none. */
export type Outcome = Rows | { readonly error: string };

type Tables = Readonly<Record<string, SeededTable>>;

const DATABASE = "default";

/** The world has no engine yet. */
export async function seedSluice(tables: Tables, layout: Layout): Promise<QueryWorld> {
  const world = new QueryWorld(DATABASE);
  const database = world.get(DATABASE);
  const roundCount = Math.max(...Object.values(tables).map(({ batches }) => batches.length));
  for (let round = 0; round < roundCount; round++) {
    for (const [name, { batches }] of Object.entries(tables)) {
      const batch = batches[round] ?? null;
      if (batch !== null) database.append(name, batch);
    }
    if (round < FLUSHES[layout]) await database.flush();
  }
  for (const [name, { types, batches }] of Object.entries(tables)) {
    if (batches.length === 0) database.catalog.extendSchema(1, name, scannedColumns(types));
  }
  return world;
}

/** A flush follows each of the first so many rounds of batches. */
const FLUSHES: Record<Layout, number> = {
  "in the tail": 0,
  "in files": Infinity,
  "in files and the tail": 2,
};

/** As if a batch had brought these columns; its rows never came. */
function scannedColumns(types: SeededTable["types"]): ScannedColumn[] {
  const kinds: Record<ColumnType, number> = {
    int64: KIND.int,
    float64: KIND.float,
    utf8: KIND.text,
    bool: KIND.bool,
    timestamp: KIND.timestamp,
  };
  return Object.entries(types).map(([name, type]) => {
    return { name, kinds: kinds[type], nullCount: 0, firstRows: {} };
  });
}

export async function askSluice(world: QueryWorld, sql: string): Promise<Outcome> {
  const response = await world.respond(sql, DATABASE);
  const answer = parseExactly(await response.text()) as {
    success: boolean;
    error: string;
    columns: string[];
    data: Cell[][];
  };
  if (!answer.success) return { error: answer.error };
  return { columns: answer.columns, data: answer.data };
}

export async function seedNative(tables: Tables): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  // So that a table goes by the same names in both: `cpu` and `"default".cpu`.
  await connection.run(`CREATE SCHEMA "${DATABASE}"; USE "${DATABASE}"`);
  for (const [name, { types, batches }] of Object.entries(tables)) {
    const columns = Object.entries(types);
    const list = columns.map(([column, type]) => `${quoted(column)} ${NATIVE_TYPES[type]}`);
    await connection.run(`CREATE TABLE ${name} (${list.join(", ")})`);
    const appender = await connection.createAppender(name, DATABASE);
    for (const batch of batches.filter((one) => one !== null)) {
      for (let row = 0; row < batch["time"]!.length; row++) {
        for (const [column, type] of columns) append(appender, type, batch[column]?.[row]);
        appender.endRow();
      }
    }
    appender.closeSync();
  }
  return connection;
}

const NATIVE_TYPES: Record<ColumnType, string> = {
  int64: "BIGINT",
  float64: "DOUBLE",
  utf8: "VARCHAR",
  bool: "BOOLEAN",
  timestamp: "TIMESTAMP",
};

function append(appender: DuckDBAppender, type: ColumnType, value: unknown): void {
  if (value === null || value === undefined) return appender.appendNull();
  switch (type) {
    case "int64":
      return appender.appendBigInt(BigInt(value as number | bigint));
    case "float64":
      return appender.appendDouble(Number(value));
    case "utf8":
      return appender.appendVarchar(typeof value === "object" ? JSON.stringify(value) : `${value}`);
    case "bool":
      return appender.appendBoolean(value as boolean);
    case "timestamp": {
      const us = value instanceof Date ? BigInt(value.getTime()) * 1_000n : BigInt(value as number);
      return appender.appendTimestamp(new DuckDBTimestampValue(us));
    }
  }
}

export async function askNative(connection: DuckDBConnection, sql: string): Promise<Outcome> {
  try {
    const reader = await connection.runAndReadAll(sql);
    const data = reader.getRows().map((row) => row.map(nativeCell));
    return { columns: reader.columnNames(), data };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
