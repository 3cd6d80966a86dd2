// Databases and tokens. Answers are the server's own, with its names.

import { requestJson } from "./http.ts";
import type { Connection } from "./http.ts";

export interface DatabaseInfo {
  readonly name: string;
  readonly created_at: string;
  readonly measurement_count: number;
}

export interface MeasurementInfo {
  readonly name: string;
  readonly file_count: number;
  readonly row_count: number;
  readonly total_size_mb: number;
}

export class DatabasesApi {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async list(): Promise<DatabaseInfo[]> {
    const path = "/api/v1/databases";
    return (await requestJson<{ databases: DatabaseInfo[] }>(this.#connection, path)).databases;
  }

  /** The first write to a database makes it, too. */
  create(name: string): Promise<DatabaseInfo> {
    return requestJson(this.#connection, "/api/v1/databases", { method: "POST", json: { name } });
  }

  async measurements(database: string): Promise<MeasurementInfo[]> {
    const path = `${pathOf(database)}/measurements`;
    const answer = await requestJson<{ measurements: MeasurementInfo[] }>(this.#connection, path);
    return answer.measurements;
  }

  /** Resolves when all that was acknowledged before is in Parquet. */
  async flush(database: string): Promise<void> {
    await requestJson(this.#connection, `${pathOf(database)}/flush`, { method: "POST" });
  }

  async drop(database: string): Promise<void> {
    const path = `${pathOf(database)}?confirm=true`;
    await requestJson(this.#connection, path, { method: "DELETE" });
  }
}

function pathOf(database: string): string {
  return `/api/v1/databases/${encodeURIComponent(database)}`;
}

export type Permission = "read" | "write" | "delete" | "admin";

export interface NewToken {
  readonly name: string;
  readonly description?: string;
  readonly permissions?: readonly Permission[];
  /** Names, or patterns with `*`. */
  readonly databases?: readonly string[];
  /** `7d`, `12h`. */
  readonly expires_in?: string;
}

export interface TokenInfo {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  readonly databases: readonly string[];
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly enabled: boolean;
}

export class TokensApi {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async list(): Promise<TokenInfo[]> {
    const path = "/api/v1/auth/tokens";
    return (await requestJson<{ tokens: TokenInfo[] }>(this.#connection, path)).tokens;
  }

  /** `token` is shown this once. */
  create(json: NewToken): Promise<{ readonly token: string; readonly token_info: TokenInfo }> {
    return requestJson(this.#connection, "/api/v1/auth/tokens", { method: "POST", json });
  }

  /** The new text of the token, shown this once. */
  async rotate(id: number): Promise<string> {
    const path = `/api/v1/auth/tokens/${id}/rotate`;
    const answer = await requestJson<{ new_token: string }>(this.#connection, path, {
      method: "POST",
    });
    return answer.new_token;
  }

  async revoke(id: number): Promise<void> {
    await requestJson(this.#connection, `/api/v1/auth/tokens/${id}/revoke`, { method: "POST" });
  }

  async remove(id: number): Promise<void> {
    await requestJson(this.#connection, `/api/v1/auth/tokens/${id}`, { method: "DELETE" });
  }
}
