// Triggers: a database's events, posted to a URL as they are stored. Who receives them checks them
// with `verifyWebhook`. Answers are the server's own, with its names.

import { requestJson } from "./http.ts";
import type { Connection } from "./http.ts";

export interface TriggerFields {
  readonly name: string;
  /** An event has to have all of them. */
  readonly tags?: readonly string[];
  /** Of any type when missing. */
  readonly type?: string;
  readonly url: string;
  readonly enabled?: boolean;
  /** `whsec_…`; made by the server when missing. */
  readonly secret?: string;
}

export interface TriggerInfo {
  readonly id: number;
  readonly name: string;
  readonly database: string;
  readonly tags: readonly string[];
  readonly type: string | null;
  readonly url: string;
  readonly enabled: boolean;
  readonly state: {
    readonly cursor: number;
    readonly pending: number;
    readonly delivered_events: number;
    readonly failures: number;
    readonly failing_since: string | null;
    readonly next_attempt_at: string | null;
    readonly last_attempt_at: string | null;
    readonly last_delivery_at: string | null;
    readonly last_status: number | null;
    readonly last_error: string | null;
    readonly disabled_reason: string | null;
  };
}

const PATH = "/api/v1/triggers";

export class TriggersApi {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Of the client's database. */
  list(): Promise<TriggerInfo[]> {
    const parameters = new URLSearchParams({ database: this.#connection.database });
    return requestJson(this.#connection, `${PATH}?${parameters}`);
  }

  /** The secret is shown this once. */
  create(json: TriggerFields): Promise<TriggerInfo & { readonly secret: string }> {
    return requestJson(this.#connection, PATH, { method: "POST", json });
  }

  show(id: number): Promise<TriggerInfo> {
    return requestJson(this.#connection, `${PATH}/${id}`);
  }

  /** What is not named stays as it is. */
  update(id: number, json: Partial<TriggerFields>): Promise<TriggerInfo> {
    return requestJson(this.#connection, `${PATH}/${id}`, { method: "PUT", json });
  }

  async remove(id: number): Promise<void> {
    await requestJson(this.#connection, `${PATH}/${id}`, { method: "DELETE" });
  }
}
