// What a place that keeps records must be able to do, and how one is chosen by configuration.

import type { Selection } from "./selection.ts";
import type { Row, TableName } from "./tables.ts";

export interface Backend {
  /**
   * Resolves when the rows are durable and every query from then on sees them. Rejects when they
   * will not be stored: whoever calls does not try again.
   */
  write(table: TableName, rows: readonly Row[]): Promise<void>;
  /** Rows with `time_ms`, the latest first. Nothing recorded yet is an empty answer. */
  select(selection: Selection): Promise<Row[]>;
  close(): Promise<void>;
}

export interface SqlitePlace {
  readonly kind: "sqlite";
  readonly dbPath: string;
}

export interface SluicePlace {
  readonly kind: "sluice";
  readonly url: string;
  readonly token: string;
  readonly database: string;
}

export interface Nowhere {
  readonly kind: "nowhere";
}

export type Place = SqlitePlace | SluicePlace | Nowhere;

/** The back-ends come by dynamic import: a browser's bundle must not need node:sqlite. */
export async function openBackend(place: Place): Promise<Backend> {
  switch (place.kind) {
    case "sqlite":
      return (await import("./sqlite-backend.ts")).openSqlite(place);
    case "sluice":
      return (await import("./sluice-backend.ts")).openSluice(place);
    case "nowhere":
      return NOWHERE;
  }
}

const NOWHERE: Backend = {
  write: async () => {},
  select: async () => [],
  close: async () => {},
};
