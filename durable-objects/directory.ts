// The shell of the directory round lib/directory/directory.ts. One object, named `directory`.

import { DurableObject } from "cloudflare:workers";
import { Archive } from "#lib/archive/archive.ts";
import { isRefusal, orRefusalLater, type Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { ObjectStore } from "#lib/base/ports.ts";
import { SharedAlarm } from "#lib/base/shared-alarm.ts";
import { databasePrefix } from "#lib/catalog/object-keys.ts";
import { ArchivedDirectory } from "#lib/directory/archived-directory.ts";
import { databaseChange } from "#lib/directory/artifacts.ts";
import { DatabaseDrops } from "#lib/directory/database-drops.ts";
import { DirectoryCore } from "#lib/directory/directory.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import type { Database, NewToken, StoredToken, Token } from "#lib/directory/types.ts";
import { archivePorts } from "#platform/archive-ports.ts";
import { sleep, systemClock } from "#platform/clock.ts";
import { positiveInteger } from "#platform/config.ts";
import { alarm, sqlStore } from "#platform/durable-storage.ts";
import { createLog } from "#platform/log.ts";
import { r2ObjectStore } from "#platform/r2.ts";
import { unwrap } from "#platform/rpc.ts";
import { goOnInObject, reportSoon } from "#platform/telemetry.ts";

export class Directory extends DurableObject<IngestEnv> {
  readonly #core: DirectoryCore;
  readonly #archived: ArchivedDirectory;
  readonly #drops: DatabaseDrops;
  readonly #archive: Archive;
  readonly #alarm: SharedAlarm;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    const store = sqlStore(ctx.storage);
    const log = createLog("directory", env.LOG_LEVEL);
    const bufferOf = (databaseId: number, shard: number) =>
      env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`);
    this.#alarm = new SharedAlarm(alarm(ctx.storage));
    const ensureDefault = () => unwrap(Promise.resolve(this.#ensureDefault()));
    const archiveAlarm = this.#alarm.of("archive");
    this.#archive = new Archive(archivePorts("directory", store, archiveAlarm, env, ensureDefault));
    this.#drops = new DatabaseDrops({
      store,
      clock: systemClock,
      alarm: this.#alarm.of("drops"),
      closeBuffer: (databaseId, shard) => unwrap(bufferOf(databaseId, shard).close()),
      emptyBuffer: (databaseId, shard) => unwrap(bufferOf(databaseId, shard).empty()),
      eraseRecords: async (databaseId) => {
        await unwrap(env.DATABASE_CATALOG.getByName(`${databaseId}`).erase());
        // Before the stream: what rules still tell would go to one that is no more.
        await unwrap(env.ALERT_RULES.getByName(`${databaseId}`).erase());
        await unwrap(env.EVENT_STREAM.getByName(`${databaseId}`).erase());
      },
      removeObjects: (databaseId) => removeAll(databasePrefix(databaseId), r2ObjectStore(env.LAKE)),
      archive: (database) => this.#archive.note(databaseChange("delete", database)),
      report: ({ event, error, databaseId, step }) =>
        log.error(event, error, { database_id: databaseId, step }),
    });
    const randomBytes = (byteLength: number) => crypto.getRandomValues(new Uint8Array(byteLength));
    this.#core = new DirectoryCore({ store, clock: systemClock, randomBytes }, this.#drops);
    this.#archived = new ArchivedDirectory(this.#core, this.#archive);
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

  async createDatabase(name: string, shardCount: number): Promise<Database | Refusal> {
    return this.#told(this.#archived.createDatabase(name, shardCount));
  }

  async dropDatabase(name: string): Promise<Refusal | null> {
    return this.#told(await orRefusalLater(() => this.#core.dropDatabase(name)));
  }

  /** A poke from the sweep: what a lost alarm has left goes on. */
  async wake(): Promise<void> {
    this.#drops.arm();
    this.#archive.arm();
  }

  override async alarm(): Promise<void> {
    this.#alarm.noteRung();
    await Promise.all([this.#drops.onAlarm(), this.#archive.onAlarm()]);
    reportSoon("front-door", this.env, goOnInObject);
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
    return this.#told(this.#archived.createToken(token));
  }

  async updateToken(
    tokenId: number,
    change: Partial<NewToken>,
  ): Promise<{ token: Token } | Refusal> {
    return this.#told(this.#archived.updateToken(tokenId, change));
  }

  async rotateToken(tokenId: number): Promise<{ token: Token; text: string } | Refusal> {
    return this.#told(this.#archived.rotateToken(tokenId));
  }

  async revokeToken(tokenId: number): Promise<Refusal | null> {
    return this.#told(this.#archived.revokeToken(tokenId));
  }

  async deleteToken(tokenId: number): Promise<Refusal | null> {
    return this.#told(this.#archived.deleteToken(tokenId));
  }

  /** After a change: its event is delivered before the answer, if that does not take long. */
  async #told<T>(result: T): Promise<T> {
    if (!isRefusal(result)) {
      await Promise.race([this.#archive.deliver(), sleep(LIMITS.archiveWaitMs)]);
    }
    return result;
  }

  #ensureDefault(): Database | Refusal {
    const shardCount = positiveInteger("BUFFER_SHARDS", this.env.BUFFER_SHARDS);
    return this.#core.ensureDatabase(DEFAULT_DATABASE, shardCount);
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
