// Schemas that this isolate has seen lately. Schemas only grow, so an old copy that takes a batch
// is right; for anything else the catalog is asked. That a table was dropped or renamed the buffer
// knows, which then refuses the batch.

import type { TableSchema } from "#lib/catalog/schema.ts";

const ENTRIES_MAX = 2_000;
const MAX_AGE_MS = 5_000;

const schemas = new Map<string, { readonly schema: TableSchema; readonly atMs: number }>();

export function findSchema(databaseId: number, measurement: string): TableSchema | null {
  const entry = schemas.get(`${databaseId}/${measurement}`);
  return entry === undefined || Date.now() - entry.atMs > MAX_AGE_MS ? null : entry.schema;
}

export function rememberSchema(databaseId: number, schema: TableSchema): void {
  if (schemas.size >= ENTRIES_MAX) schemas.clear();
  schemas.set(`${databaseId}/${schema.measurement}`, { schema, atMs: Date.now() });
}

export function forgetSchema(databaseId: number, measurement: string): void {
  schemas.delete(`${databaseId}/${measurement}`);
}
