// Which databases there are, and which tokens open them. One for the whole installation.
//
// Small and rarely written; Workers keep what they looked up for a few seconds
// (platform/directory.ts). Shell: durable-objects/directory.ts.

import { refusal, SluiceError, type Refusal } from "#lib/base/errors.ts";
import type { Clock, SqlStore } from "#lib/base/ports.ts";
import { type DatabaseDrops, droppingDatabase } from "./database-drops.ts";
import { unknownDatabase } from "./names.ts";
import { formatToken, makeSecret } from "./token.ts";
import type { Database, NewToken, StoredToken, Token } from "./types.ts";

export interface DirectoryPorts {
  readonly store: SqlStore;
  readonly clock: Clock;
  randomBytes(byteLength: number): Uint8Array;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS probe (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  at_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS database (
  database_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  shard_count INTEGER NOT NULL,
  created_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS token (
  token_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  permissions TEXT NOT NULL,
  databases TEXT NOT NULL,
  digest TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER,
  is_enabled INTEGER NOT NULL DEFAULT 1
);
`;

const DATABASE_COLUMNS = `database_id AS databaseId, name, shard_count AS shardCount,
  created_ms AS createdMs`;

const TOKEN_COLUMNS = `token_id AS tokenId, name, description, permissions, databases, digest,
  created_ms AS createdMs, expires_ms AS expiresMs, is_enabled AS isEnabled`;

interface TokenRow extends Omit<StoredToken, "permissions" | "databases" | "isEnabled"> {
  readonly permissions: string;
  readonly databases: string;
  readonly isEnabled: number;
}

export class DirectoryCore {
  readonly #ports: DirectoryPorts;
  readonly #drops: DatabaseDrops;
  readonly #store: SqlStore;

  constructor(ports: DirectoryPorts, drops: DatabaseDrops) {
    this.#ports = ports;
    this.#drops = drops;
    this.#store = ports.store;
    this.#store.exec(SCHEMA);
  }

  /** Throws when a write cannot be stored. */
  probe(): void {
    this.#store.exec("INSERT OR REPLACE INTO probe VALUES (1, ?)", this.#ports.clock.nowMs());
  }

  findDatabase(name: string): Database | null {
    const sql = `SELECT ${DATABASE_COLUMNS} FROM database WHERE name = ?`;
    return this.#store.exec<Database>(sql, name)[0] ?? null;
  }

  /** Without those that are being dropped. */
  listDatabases(): Database[] {
    const sql = `SELECT ${DATABASE_COLUMNS} FROM database ORDER BY name`;
    const databases = this.#store.exec<Database>(sql);
    const dropping = this.#drops.databaseIds();
    return databases.filter(({ databaseId }) => !dropping.has(databaseId));
  }

  /**
   * Finds or makes; two callers at once get the same. Refuses (`database_dropping`) a name that is
   * not free yet.
   */
  ensureDatabase(name: string, shardCount: number): Database | Refusal {
    const known = this.findDatabase(name);
    if (known !== null && this.#drops.isDropping(known.databaseId)) {
      return refusal(droppingDatabase(name));
    }
    const sql = "INSERT OR IGNORE INTO database (name, shard_count, created_ms) VALUES (?, ?, ?)";
    this.#store.exec(sql, name, shardCount, this.#ports.clock.nowMs());
    return this.findDatabase(name)!;
  }

  /** Resolves when the name is free. Refuses `database_unknown`. */
  async dropDatabase(name: string): Promise<Refusal | null> {
    const database = this.findDatabase(name);
    if (database === null) return refusal(unknownDatabase(name));
    await this.#drops.drop(database);
    return null;
  }

  findToken(tokenId: number): StoredToken | null {
    const sql = `SELECT ${TOKEN_COLUMNS} FROM token WHERE token_id = ?`;
    const row = this.#store.exec<TokenRow>(sql, tokenId)[0];
    return row === undefined ? null : toToken(row);
  }

  listTokens(): Token[] {
    const sql = `SELECT ${TOKEN_COLUMNS} FROM token ORDER BY token_id`;
    return this.#store.exec<TokenRow>(sql).map((row) => withoutDigest(toToken(row)));
  }

  /** The text is returned this once and never again. */
  createToken(token: NewToken): { token: Token; text: string } | Refusal {
    const sameName = "SELECT 1 FROM token WHERE name = ?";
    if (this.#store.exec(sameName, token.name).length > 0) return refuseTaken(token.name);
    const { secret, digest } = makeSecret(this.#ports.randomBytes(32));
    const [row] = this.#store.exec<{ tokenId: number }>(
      `INSERT INTO token (name, description, permissions, databases, digest, created_ms, expires_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING token_id AS tokenId`,
      token.name,
      token.description,
      JSON.stringify(token.permissions),
      JSON.stringify(token.databases),
      digest,
      this.#ports.clock.nowMs(),
      token.expiresMs,
    );
    const { tokenId } = row!;
    return { token: withoutDigest(this.findToken(tokenId)!), text: formatToken(tokenId, secret) };
  }

  /** Changes what is given and leaves the rest. */
  updateToken(tokenId: number, change: Partial<NewToken>): { token: Token } | Refusal {
    const stored = this.findToken(tokenId);
    if (stored === null) return refuseUnknown(tokenId);
    const { name, description, permissions, databases, expiresMs } = { ...stored, ...change };
    const sameName = "SELECT 1 FROM token WHERE name = ? AND token_id <> ?";
    if (this.#store.exec(sameName, name, tokenId).length > 0) return refuseTaken(name);
    this.#store.exec(
      `UPDATE token SET name = ?, description = ?, permissions = ?, databases = ?, expires_ms = ?
       WHERE token_id = ?`,
      name,
      description,
      JSON.stringify(permissions),
      JSON.stringify(databases),
      expiresMs,
      tokenId,
    );
    return { token: withoutDigest(this.findToken(tokenId)!) };
  }

  /** A new secret; the old one stops working. */
  rotateToken(tokenId: number): { token: Token; text: string } | Refusal {
    const { secret, digest } = makeSecret(this.#ports.randomBytes(32));
    this.#store.exec("UPDATE token SET digest = ? WHERE token_id = ?", digest, tokenId);
    const token = this.findToken(tokenId);
    if (token === null) return refuseUnknown(tokenId);
    return { token: withoutDigest(token), text: formatToken(tokenId, secret) };
  }

  /** Stays listed, opens nothing any more. */
  revokeToken(tokenId: number): Refusal | null {
    if (this.findToken(tokenId) === null) return refuseUnknown(tokenId);
    this.#store.exec("UPDATE token SET is_enabled = 0 WHERE token_id = ?", tokenId);
    return null;
  }

  deleteToken(tokenId: number): Refusal | null {
    if (this.findToken(tokenId) === null) return refuseUnknown(tokenId);
    this.#store.exec("DELETE FROM token WHERE token_id = ?", tokenId);
    return null;
  }
}

function toToken(row: TokenRow): StoredToken {
  return {
    ...row,
    permissions: JSON.parse(row.permissions) as StoredToken["permissions"],
    databases: JSON.parse(row.databases) as string[],
    isEnabled: row.isEnabled === 1,
  };
}

function withoutDigest({ digest: _, ...token }: StoredToken): Token {
  return token;
}

function refuseUnknown(tokenId: number): Refusal {
  const message = `Token ${tokenId} not found`;
  return refusal(new SluiceError("token_id_unknown", message, { id: tokenId }));
}

function refuseTaken(name: string): Refusal {
  const message = `a token named "${name}" exists already`;
  return refusal(new SluiceError("token_exists", message, { name }));
}
