// The shell of the directory round lib/directory/directory.ts. One object, named `directory`.

import { DurableObject } from "cloudflare:workers";
import type { Refusal } from "#lib/base/errors.ts";
import { DirectoryCore } from "#lib/directory/directory.ts";
import type { Database, NewToken, StoredToken, Token } from "#lib/directory/types.ts";
import { systemClock } from "#platform/clock.ts";
import { sqlStore } from "#platform/durable-storage.ts";

export class Directory extends DurableObject<IngestEnv> {
  readonly #core: DirectoryCore;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    this.#core = new DirectoryCore({
      store: sqlStore(ctx.storage),
      clock: systemClock,
      randomBytes: (byteLength) => crypto.getRandomValues(new Uint8Array(byteLength)),
    });
  }

  async probe(): Promise<void> {
    this.#core.probe();
  }

  async resolveDatabase(name: string): Promise<Database | null> {
    return this.#core.findDatabase(name);
  }

  async ensureDatabase(name: string, shardCount: number): Promise<Database> {
    return this.#core.ensureDatabase(name, shardCount);
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
