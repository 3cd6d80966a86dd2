// The shell of the directory round lib/directory/directory.ts. One object, named `directory`.

import { DurableObject } from "cloudflare:workers";
import { orRefusalLater, type Refusal } from "#lib/base/errors.ts";
import type { ObjectStore } from "#lib/base/ports.ts";
import { databasePrefix } from "#lib/catalog/object-keys.ts";
import { DatabaseDrops } from "#lib/directory/database-drops.ts";
import { DirectoryCore } from "#lib/directory/directory.ts";
import type { Database, NewToken, StoredToken, Token } from "#lib/directory/types.ts";
import { systemClock } from "#platform/clock.ts";
import { alarm, sqlStore } from "#platform/durable-storage.ts";
import { createLog } from "#platform/log.ts";
import { r2ObjectStore } from "#platform/r2.ts";
import { unwrap } from "#platform/rpc.ts";

export class Directory extends DurableObject<IngestEnv> {
  readonly #core: DirectoryCore;
  readonly #drops: DatabaseDrops;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    const store = sqlStore(ctx.storage);
    const log = createLog("directory", env.LOG_LEVEL);
    const bufferOf = (databaseId: number, shard: number) =>
      env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`);
    this.#drops = new DatabaseDrops({
      store,
      clock: systemClock,
      alarm: alarm(ctx.storage),
      closeBuffer: (databaseId, shard) => unwrap(bufferOf(databaseId, shard).close()),
      emptyBuffer: (databaseId, shard) => unwrap(bufferOf(databaseId, shard).empty()),
      eraseCatalog: (databaseId) => unwrap(env.DATABASE_CATALOG.getByName(`${databaseId}`).erase()),
      removeObjects: (databaseId) => removeAll(databasePrefix(databaseId), r2ObjectStore(env.LAKE)),
      report: ({ event, error, databaseId, step }) =>
        log.error(event, error, { database_id: databaseId, step }),
    });
    const randomBytes = (byteLength: number) => crypto.getRandomValues(new Uint8Array(byteLength));
    this.#core = new DirectoryCore({ store, clock: systemClock, randomBytes }, this.#drops);
  }

  async probe(): Promise<void> {
    this.#core.probe();
  }

  async resolveDatabase(name: string): Promise<Database | null> {
    return this.#core.findDatabase(name);
  }

  async ensureDatabase(name: string, shardCount: number): Promise<Database | Refusal> {
    return this.#core.ensureDatabase(name, shardCount);
  }

  dropDatabase(name: string): Promise<Refusal | null> {
    return orRefusalLater(() => this.#core.dropDatabase(name));
  }

  /** A poke from the sweep: drops that a lost alarm has left go on. */
  async wake(): Promise<void> {
    this.#drops.arm();
  }

  override async alarm(): Promise<void> {
    await this.#drops.onAlarm();
  }

  async listDatabases(): Promise<Database[]> {
    return this.#core.listDatabases();
  }

  async findToken(tokenId: number): Promise<StoredToken | null> {
    return this.#core.findToken(tokenId);
  }

  async listTokens(): Promise<Token[]> {
    return this.#core.listTokens();
  }

  async createToken(token: NewToken): Promise<{ token: Token; text: string } | Refusal> {
    return this.#core.createToken(token);
  }

  async updateToken(
    tokenId: number,
    change: Partial<NewToken>,
  ): Promise<{ token: Token } | Refusal> {
    return this.#core.updateToken(tokenId, change);
  }

  async rotateToken(tokenId: number): Promise<{ token: Token; text: string } | Refusal> {
    return this.#core.rotateToken(tokenId);
  }

  async revokeToken(tokenId: number): Promise<Refusal | null> {
    return this.#core.revokeToken(tokenId);
  }

  async deleteToken(tokenId: number): Promise<Refusal | null> {
    return this.#core.deleteToken(tokenId);
  }
}

async function removeAll(prefix: string, lake: ObjectStore): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await lake.list(prefix, cursor);
    if (page.objects.length > 0) await lake.remove(page.objects.map(({ key }) => key));
    cursor = page.cursor;
  } while (cursor !== undefined);
}
