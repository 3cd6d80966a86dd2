// Changes to the log of a server that does not run: SQL in the files of its buffers.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LIMITS } from "#lib/base/limits.ts";
import type { Stack } from "./stack.ts";

/** Bytes that do not decode, in a segment that is one try from being put aside. */
export function poisonSegments(stack: Stack, measurement: string): void {
  const attempts = LIMITS.flushAttemptsMax - 1;
  changeLog(stack, measurement, (table) => [
    `ALTER TABLE ${table} ADD COLUMN kept BLOB`,
    `UPDATE ${table} SET kept = bytes, bytes = zeroblob(length(bytes))
     WHERE measurement = '${measurement}'`,
    `UPDATE segment SET attempts = ${attempts} WHERE segment_no = ${table.replace(/\D/g, "")}`,
  ]);
}

/** The bytes as they were. What was put aside stays aside. */
export function mendSegments(stack: Stack, measurement: string): void {
  changeLog(stack, measurement, (table) => [
    `UPDATE ${table} SET bytes = kept WHERE kept IS NOT NULL`,
  ]);
}

/** Runs statements for every segment's table that holds the measurement. */
function changeLog(
  stack: Stack,
  measurement: string,
  statementsFor: (table: string) => readonly string[],
): void {
  const folder = join(stack.folder, "data", "durable-objects", "sluice-DatabaseBuffer");
  const files = readdirSync(folder).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name));
  for (const file of files) {
    const database = new DatabaseSync(join(folder, file));
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE name GLOB 'log_[0-9]*'");
    for (const { name } of tables.all() as { name: string }[]) {
      const held = database.prepare(`SELECT 1 FROM ${name} WHERE measurement = ?`).get(measurement);
      if (held === undefined) continue;
      for (const statement of statementsFor(name)) database.exec(statement);
    }
    database.close();
  }
}
