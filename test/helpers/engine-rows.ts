// A statement's rows as JavaScript values, straight from the engine.

import { ArrowStreamReader } from "#lib/sql/arrow-stream.ts";
import { cellText } from "#lib/sql/cell-text.ts";
import type { FileSource, SqlEngine } from "#lib/sql/engine.ts";

export async function engineRows(
  engine: SqlEngine,
  sql: string,
  files: ReadonlyMap<string, FileSource> = new Map(),
  signal = new AbortController().signal,
): Promise<unknown[][]> {
  const reader = new ArrowStreamReader();
  const rows: unknown[][] = [];
  for await (const part of engine.run(sql, files, signal)) {
    for (const { rowCount, columns } of reader.read(part)) {
      const cells = columns.map(cellText);
      for (let row = 0; row < rowCount; row++) {
        rows.push(cells.map((cell) => JSON.parse(cell(row)) as unknown));
      }
    }
  }
  return rows;
}
