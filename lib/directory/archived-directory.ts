// The directory's changes, each with its event of the archive in one transaction.
//
// The drop of a database is archived where its name becomes free: database-drops.ts.

import type { Archive } from "#lib/archive/archive.ts";
import { isRefusal, type Refusal } from "#lib/base/errors.ts";
import { databaseChange, tokenChange } from "./artifacts.ts";
import type { DirectoryCore } from "./directory.ts";
import type { Database, NewToken, Token } from "./types.ts";

type NewSecret = { token: Token; text: string };

export class ArchivedDirectory {
  readonly #core: DirectoryCore;
  readonly #archive: Pick<Archive, "record">;

  constructor(core: DirectoryCore, archive: Pick<Archive, "record">) {
    this.#core = core;
    this.#archive = archive;
  }

  /**
   * As the core's. Archived is what somebody asked for: not a database that there is already, and
   * not one that a first write brings into being, which would put events among the user's own data
   * before he has asked for any.
   */
  createDatabase(name: string, shardCount: number): Database | Refusal {
    const isNew = this.#core.findDatabase(name) === null;
    return this.#archive.record(
      () => this.#core.ensureDatabase(name, shardCount),
      (made) => (isRefusal(made) || !isNew ? null : databaseChange("create", made)),
    );
  }

  createToken(fields: NewToken): NewSecret | Refusal {
    return this.#archive.record(
      () => this.#core.createToken(fields),
      (made) => (isRefusal(made) ? null : tokenChange("create", made.token)),
    );
  }

  updateToken(tokenId: number, change: Partial<NewToken>): { token: Token } | Refusal {
    return this.#archive.record(
      () => this.#core.updateToken(tokenId, change),
      (updated) => (isRefusal(updated) ? null : tokenChange("update", updated.token)),
    );
  }

  rotateToken(tokenId: number): NewSecret | Refusal {
    return this.#archive.record(
      () => this.#core.rotateToken(tokenId),
      (rotated) => {
        if (isRefusal(rotated)) return null;
        return { ...tokenChange("update", rotated.token), isRotated: true };
      },
    );
  }

  revokeToken(tokenId: number): Refusal | null {
    return this.#archive.record(
      () => this.#core.revokeToken(tokenId),
      () => this.#tokenChange("update", tokenId),
    );
  }

  deleteToken(tokenId: number): Refusal | null {
    const change = this.#tokenChange("delete", tokenId);
    return this.#archive.record(
      () => this.#core.deleteToken(tokenId),
      () => change,
    );
  }

  /** null: there is no such token, so nothing changes. */
  #tokenChange(action: "update" | "delete", tokenId: number) {
    const token = this.#core.findToken(tokenId);
    return token && tokenChange(action, token);
  }
}
