// Tokens and databases, looked up in the Directory object and kept for a few seconds per isolate.
//
// A token revoked elsewhere goes on working here until its copy is `LIMITS.tokenCacheMs` old; one
// revoked through this isolate stops at once. Expiry is checked on every use, not only on look-up.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { digestOf, isSameDigest, parseToken } from "#lib/directory/token.ts";
import type { Database, Principal, StoredToken } from "#lib/directory/types.ts";
import { unwrap } from "./rpc.ts";

interface Cached<T> {
  readonly value: T;
  readonly atMs: number;
}

/** Entries of one cache; beyond it the cache starts anew. */
const CACHE_ENTRIES_MAX = 1_000;

const tokens = new Map<number, Cached<StoredToken | null>>();
const databases = new Map<string, Cached<Database | null>>();

const ADMIN = { tokenId: null, name: "admin", permissions: ["admin"], databases: ["*"] } as const;

type DirectoryBinding = IngestEnv["DIRECTORY"];

/** Throws `token_unknown` for a text that is no token, not known, revoked or expired. */
export async function authenticate(
  text: string,
  adminToken: string,
  directory: DirectoryBinding,
): Promise<Principal> {
  if (isSameDigest(digestOf(text), digestOf(adminToken))) return ADMIN;
  const parsed = parseToken(text);
  // An unknown id is compared too, with something that no secret has as its digest.
  const stored = parsed === null ? null : await findToken(parsed.tokenId, directory);
  const isSecretRight = isSameDigest(
    digestOf(parsed?.secret ?? text),
    stored?.digest ?? "0".repeat(64),
  );
  const isValid = isSecretRight && stored?.isEnabled === true && !isExpired(stored);
  if (!isValid) throw new SluiceError("token_unknown", "Invalid or expired token");
  const { tokenId, name, permissions, databases: patterns } = stored;
  return { tokenId, name, permissions, databases: patterns };
}

/** After a change made through this isolate. */
export function forgetToken(tokenId: number): void {
  tokens.delete(tokenId);
}

export async function findDatabase(
  name: string,
  directory: DirectoryBinding,
): Promise<Database | null> {
  return await cached(databases, name, () => stubOf(directory).resolveDatabase(name));
}

/** After a change made through this isolate, or one that it has met. */
export function forgetDatabase(name: string): void {
  databases.delete(name);
}

/** The database of that name, made when there is none. */
export async function ensureDatabase(
  name: string,
  shardCount: number,
  directory: DirectoryBinding,
): Promise<Database> {
  const known = databases.get(name);
  if (known?.value && isFresh(known)) return known.value;
  const value = await unwrap(stubOf(directory).ensureDatabase(name, shardCount));
  remember(databases, name, value);
  return value;
}

/** The same, because somebody asked for it: then it is archived. */
export async function createDatabase(
  name: string,
  shardCount: number,
  directory: DirectoryBinding,
): Promise<Database> {
  const value = await unwrap(stubOf(directory).createDatabase(name, shardCount));
  remember(databases, name, value);
  return value;
}

async function findToken(
  tokenId: number,
  directory: DirectoryBinding,
): Promise<StoredToken | null> {
  return await cached(tokens, tokenId, () => stubOf(directory).findToken(tokenId));
}

async function cached<Key, T>(
  cache: Map<Key, Cached<T>>,
  key: Key,
  load: () => Promise<T>,
): Promise<T> {
  const known = cache.get(key);
  if (known !== undefined && isFresh(known)) return known.value;
  const value = (await unwrap(load())) as T;
  remember(cache, key, value);
  return value;
}

function remember<Key, T>(cache: Map<Key, Cached<T>>, key: Key, value: T): void {
  if (cache.size >= CACHE_ENTRIES_MAX) cache.clear();
  cache.set(key, { value, atMs: Date.now() });
}

function isFresh({ atMs }: Cached<unknown>): boolean {
  return Date.now() - atMs < LIMITS.tokenCacheMs;
}

function isExpired({ expiresMs }: StoredToken): boolean {
  return expiresMs !== null && expiresMs <= Date.now();
}

function stubOf(directory: DirectoryBinding) {
  return directory.getByName("directory");
}
