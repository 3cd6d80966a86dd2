// The tables of one event stream: schema, row types and every SQL statement, and nothing else.
//
// docs/storage.md describes the tables for operators. The protocol that uses them: hub.ts.

import type { SqlStore } from "#lib/base/ports.ts";

export interface Identity {
  readonly databaseId: number;
  readonly shardCount: number;
  readonly salt: string;
  readonly nextSeq: number;
}

/** The append that is under way; after a crash: whose outcome is not known. */
export interface OpenGroup {
  readonly groupKey: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface SeenPost {
  readonly key: string;
  readonly bodySha256: string;
  readonly firstSeq: number;
  readonly receivedUs: number;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS identity (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  database_id INTEGER NOT NULL,
  shard_count INTEGER NOT NULL,
  salt TEXT NOT NULL,
  next_seq INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS open_group (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  group_key TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS seen_post (
  key TEXT PRIMARY KEY,
  body_sha256 TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  received_us INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
`;

export type HubTables = ReturnType<typeof openHubTables>;

export function openHubTables(store: SqlStore) {
  const { exec } = store;
  exec(SCHEMA);
  return {
    identity(): Identity | null {
      const sql = `SELECT database_id AS databaseId, shard_count AS shardCount, salt,
        next_seq AS nextSeq FROM identity`;
      return exec<Identity>(sql)[0] ?? null;
    },
    insertIdentity({ databaseId, shardCount, salt, nextSeq }: Identity): void {
      exec("INSERT INTO identity VALUES (1, ?, ?, ?, ?)", databaseId, shardCount, salt, nextSeq);
    },
    openGroup(): OpenGroup | null {
      const sql = `SELECT group_key AS groupKey, first_seq AS firstSeq, last_seq AS lastSeq
        FROM open_group`;
      return exec<OpenGroup>(sql)[0] ?? null;
    },
    /** Its numbers are taken with it, and never again. */
    insertOpenGroup({ groupKey, firstSeq, lastSeq }: OpenGroup): void {
      exec("INSERT INTO open_group VALUES (1, ?, ?, ?)", groupKey, firstSeq, lastSeq);
      exec("UPDATE identity SET next_seq = ?", lastSeq + 1);
    },
    deleteOpenGroup(): void {
      exec("DELETE FROM open_group");
    },
    insertPost({ key, bodySha256, firstSeq, receivedUs }: SeenPost, expiresMs: number): void {
      const sql = "INSERT OR REPLACE INTO seen_post VALUES (?, ?, ?, ?, ?)";
      exec(sql, key, bodySha256, firstSeq, receivedUs, expiresMs);
    },
    seenPost(key: string, nowMs: number): SeenPost | null {
      const sql = `SELECT key, body_sha256 AS bodySha256, first_seq AS firstSeq,
        received_us AS receivedUs FROM seen_post WHERE key = ? AND expires_ms > ?`;
      return exec<SeenPost>(sql, key, nowMs)[0] ?? null;
    },
    /** Posts of a group that was not stored. */
    forgetPosts(firstSeq: number, lastSeq: number): void {
      exec("DELETE FROM seen_post WHERE first_seq BETWEEN ? AND ?", firstSeq, lastSeq);
    },
    forgetOldPosts(nowMs: number): void {
      exec("DELETE FROM seen_post WHERE expires_ms <= ?", nowMs);
    },
  };
}
