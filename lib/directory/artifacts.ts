// Databases and tokens as the API shows them and the archive keeps them: never with a secret.

import { type Change, nameOrId } from "#lib/archive/change.ts";
import type { Database, Token } from "./types.ts";

/** Takes what it shows and leaves the rest, so that a digest that is there does not get out. */
export function describeToken(token: Token) {
  return {
    id: token.tokenId,
    name: token.name,
    description: token.description,
    permissions: token.permissions,
    databases: token.databases,
    created_at: new Date(token.createdMs).toISOString(),
    expires_at: token.expiresMs === null ? null : new Date(token.expiresMs).toISOString(),
    enabled: token.isEnabled,
  };
}

/** What can be told of it without its catalog. */
export function describeDatabase({ name, createdMs }: Database) {
  return { name, created_at: new Date(createdMs).toISOString() };
}

export function tokenChange(action: Change["action"], token: Token): Change {
  const name = nameOrId(token.name, token.tokenId);
  return { group: "tokens", name, action, database: null, artifact: describeToken(token) };
}

export function databaseChange(action: Change["action"], database: Database): Change {
  const { name } = database;
  return { group: "databases", name, action, database: null, artifact: describeDatabase(database) };
}
