// Databases: which there are, making one, and how one is doing.

import { SluiceError } from "#lib/base/errors.ts";
import type { SegmentSummary } from "#lib/buffer/types.ts";
import { describeDatabase } from "#lib/directory/artifacts.ts";
import { checkDatabaseName, unknownDatabase } from "#lib/directory/names.ts";
import { mayDo } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { readJsonObject, textField } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { positiveInteger } from "#platform/config.ts";
import { createDatabase as makeDatabase, findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { segmentJson } from "./segments.ts";

const BODY_BYTES_MAX = 10_000;

export async function listDatabases({ env, principal }: AdmittedArrival): Promise<Response> {
  const all = await unwrap(env.DIRECTORY.getByName("directory").listDatabases());
  const mine = all.filter(({ name }) => mayDo(principal, "read", name));
  const databases = await Promise.all(mine.map((database) => describe(database, env)));
  return json({ databases, count: databases.length });
}

export async function createDatabase({ request, env }: AdmittedArrival): Promise<Response> {
  const name = checkDatabaseName(textField(await readJsonObject(request, BODY_BYTES_MAX), "name"));
  if ((await findDatabase(name, env.DIRECTORY)) !== null) {
    const message = `Database '${name}' already exists`;
    throw new SluiceError("database_exists", message, { database: name });
  }
  const shardCount = positiveInteger("BUFFER_SHARDS", env.BUFFER_SHARDS);
  return json(await describe(await makeDatabase(name, shardCount, env.DIRECTORY), env), 201);
}

/** With what waits in its buffers: an operator's first question. */
export async function showDatabase({ env, database }: AdmittedArrival): Promise<Response> {
  const found = await findDatabase(database!, env.DIRECTORY);
  if (found === null) throw unknownDatabase(database!);
  const segments: SegmentSummary[] = [];
  let followerCount = 0;
  for (let shard = 0; shard < found.shardCount; shard++) {
    const buffer = env.DATABASE_BUFFER.getByName(`${found.databaseId}-${shard}`);
    const status = await unwrap(buffer.status());
    segments.push(...status.segments);
    followerCount += status.followerCount;
  }
  const buffer = {
    rows: segments.reduce((sum, { rowCount }) => sum + rowCount, 0),
    bytes: segments.reduce((sum, { byteLength }) => sum + byteLength, 0),
    followers: followerCount,
    segments: segments.map(segmentJson),
  };
  return json({ ...(await describe(found, env)), buffer });
}

async function describe(database: Database, env: IngestEnv) {
  const catalog = env.DATABASE_CATALOG.getByName(`${database.databaseId}`);
  const tables = await unwrap(catalog.listTables());
  return { ...describeDatabase(database), measurement_count: tables.length };
}
