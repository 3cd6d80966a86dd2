// The table of rollups: schema, row type and every SQL statement, and nothing else.
// The protocol that uses it: rollups.ts. For operators: docs/storage.md.

import type { SqlStore } from "#lib/base/ports.ts";
import type { Rollup, RollupFields } from "./rollup-types.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS rollup (
  rollup_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  source_table_id INTEGER NOT NULL,
  destination_table_id INTEGER NOT NULL,
  fields TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
);
`;

/** `fields` is the JSON of a rollup's. */
interface RollupRow extends Omit<Rollup, keyof RollupFields> {
  readonly fields: string;
}

const COLUMNS = `rollup_id AS rollupId, source_table_id AS sourceTableId,
  destination_table_id AS destinationTableId, fields, created_ms AS createdMs,
  updated_ms AS updatedMs`;

export type RollupTables = ReturnType<typeof openRollupTables>;

/** Statements over `store`, which is made ready on the way. */
export function openRollupTables(store: SqlStore) {
  store.exec(SCHEMA);
  return {
    /** Its destination is not known yet. */
    insertRollup(fields: RollupFields, sourceTableId: number, nowMs: number): number {
      const sql = `INSERT INTO rollup (name, source_table_id, destination_table_id, fields,
          created_ms, updated_ms)
        VALUES (?, ?, 0, ?, ?, ?) RETURNING rollup_id AS rollupId`;
      const values = [fields.name, sourceTableId, JSON.stringify(fields), nowMs, nowMs] as const;
      return store.exec<{ rollupId: number }>(sql, ...values)[0]!.rollupId;
    },
    setDestination(rollupId: number, tableId: number): void {
      const sql = "UPDATE rollup SET destination_table_id = ? WHERE rollup_id = ?";
      store.exec(sql, tableId, rollupId);
    },
    updateRollup(
      rollupId: number,
      fields: RollupFields,
      sourceTableId: number,
      nowMs: number,
    ): void {
      const sql = `UPDATE rollup SET name = ?, source_table_id = ?, fields = ?, updated_ms = ?
        WHERE rollup_id = ?`;
      store.exec(sql, fields.name, sourceTableId, JSON.stringify(fields), nowMs, rollupId);
    },
    deleteRollup(rollupId: number): void {
      store.exec("DELETE FROM rollup WHERE rollup_id = ?", rollupId);
    },
    rollup(rollupId: number): Rollup | null {
      const sql = `SELECT ${COLUMNS} FROM rollup WHERE rollup_id = ?`;
      const row = store.exec<RollupRow>(sql, rollupId)[0];
      return row === undefined ? null : toRollup(row);
    },
    rollups(): Rollup[] {
      const sql = `SELECT ${COLUMNS} FROM rollup ORDER BY rollup_id`;
      return store.exec<RollupRow>(sql).map(toRollup);
    },
    rollupIdOf(name: string): number | null {
      const sql = "SELECT rollup_id AS rollupId FROM rollup WHERE name = ?";
      return store.exec<{ rollupId: number }>(sql, name)[0]?.rollupId ?? null;
    },
  };
}

function toRollup({ fields, ...row }: RollupRow): Rollup {
  return { ...row, ...(JSON.parse(fields) as RollupFields) };
}
