// Records in Sluice: three measurements of one database, durable in its log before a flush ends, in
// Parquet afterwards, open to SQL beside everything else.
//
// Sending again, and under which key, is the client's business (clients/client/client.ts).

import { SluiceClient } from "../client/client.ts";
import type { Backend, SluicePlace } from "./backend.ts";
import { selectSql } from "./selection.ts";
import type { Dialect } from "./selection.ts";
import { columnsOf } from "./tables.ts";
import type { Row, TableName } from "./tables.ts";

export async function openSluice({ url, token, database }: SluicePlace): Promise<Backend> {
  // What it could not store its flush rejects with: telling it twice helps nobody.
  const client = new SluiceClient({ url, token, database, onError: () => {} });
  return {
    write: async (table, rows) => {
      await client.writeColumns(table, columnsOfRows(table, rows));
      await client.flush();
    },
    select: async (selection) => {
      const { sql, params } = selectSql(selection, DUCKDB);
      const rows: Row[] = [];
      for await (const row of client.rows<Row>(sql, params)) {
        rows.push(withNumbers(selection.table, row));
      }
      return rows;
    },
    close: () => client.close(),
  };
}

/** Values are floats in each batch: a counter of ones must not make the column an integer. */
function columnsOfRows(table: TableName, rows: readonly Row[]) {
  const columns = columnsOf(table).map(([column, type]) => {
    const values = rows.map((row) => row[column]!);
    return [column, type === "real" ? Float64Array.from(values as number[]) : values] as const;
  });
  return {
    time: rows.map((row) => new Date(row["time_ms"] as number)),
    seq: rows.map((row) => row["seq"]!),
    ...Object.fromEntries(columns),
  };
}

/** A float beyond 2^53 is written without a fraction, which the client takes for an integer. */
function withNumbers(table: TableName, row: Row): Row {
  const reals = columnsOf(table).filter(([, type]) => type === "real");
  return { ...row, ...Object.fromEntries(reals.map(([column]) => [column, Number(row[column])])) };
}

/** Attributes are found by JSON pointer (RFC 6901), because its two escapes fit any key. */
const DUCKDB: Dialect = {
  timeMs: "epoch_ms(time)",
  compareTime: (operator, ms) => ({
    sql: `time ${operator} CAST(? AS TIMESTAMP)`,
    params: [new Date(ms).toISOString()],
  }),
  attributeIs: (key, value) => {
    const pointer = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const type = "json_type(attributes, ?)";
    const text = "json_extract_string(attributes, ?)";
    if (typeof value === "string") {
      return { sql: `(${type} = 'VARCHAR' AND ${text} = ?)`, params: [pointer, pointer, value] };
    }
    if (typeof value === "number") {
      const isNumber = `${type} IN ('UBIGINT', 'BIGINT', 'DOUBLE')`;
      const sql = `(${isNumber} AND TRY_CAST(${text} AS DOUBLE) = CAST(? AS DOUBLE))`;
      return { sql, params: [pointer, pointer, String(value)] };
    }
    if (value === null) {
      // DuckDB's JSON functions answer NULL for a null as for what is not there.
      const sql = `(list_contains(json_keys(attributes), ?) AND coalesce(${type}, 'NULL') = 'NULL')`;
      return { sql, params: [key, pointer] };
    }
    const sql = `(${type} = 'BOOLEAN' AND ${text} = ?)`;
    return { sql, params: [pointer, pointer, String(value)] };
  },
};
