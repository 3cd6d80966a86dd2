// Native DuckDB over the same rows, and both engines' answers in one notation, to be compared.

import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type { Columns } from "./query-world.ts";

export class NativeTables {
  readonly #connection: DuckDBConnection;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async open(): Promise<NativeTables> {
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    await connection.run("SET TimeZone = 'UTC'");
    return new NativeTables(connection);
  }

  /** `types` by column; `time` is in milliseconds. Columns that are missing are NULL. */
  async append(table: string, types: Record<string, string>, columns: Columns): Promise<void> {
    const names = Object.keys(types);
    const list = names.map((name) => `"${name}" ${types[name]}`).join(", ");
    await this.#connection.run(`CREATE TABLE IF NOT EXISTS ${table} (${list})`);
    const rowCount = columns["time"]!.length;
    const rows = Array.from({ length: rowCount }, (_, row) => {
      const cells = names.map((name) => literal(name, columns[name]?.[row]));
      return `(${cells.join(", ")})`;
    });
    await this.#connection.run(`INSERT INTO ${table} VALUES ${rows.join(", ")}`);
  }

  async query(sql: string): Promise<unknown[][]> {
    return (await this.#connection.runAndReadAll(sql)).getRowsJson() as unknown[][];
  }

  close(): void {
    this.#connection.closeSync();
  }
}

function literal(name: string, value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (name === "time") return `epoch_ms(${value as number})`;
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

/** Rows in one notation and in one order: what two engines must agree on. */
export function comparable(rows: readonly unknown[][]): string[] {
  return rows.map((row) => JSON.stringify(row.map(plain))).toSorted();
}

const TIMESTAMP = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d(?:\.\d+)?))?(?:Z|\+00)?$/;

function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plain).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value === "number") return Number(value.toPrecision(10));
  if (typeof value !== "string") return value;
  const [, date, time = "00:00:00"] = TIMESTAMP.exec(value) ?? [];
  if (date !== undefined)
    return `${date} ${time.includes(".") ? time.replace(/\.?0+$/, "") : time}`;
  // 64-bit and wider integers come as text from the native engine.
  return /^-?\d+(?:\.\d+)?$/.test(value) ? Number(Number(value).toPrecision(10)) : value;
}
