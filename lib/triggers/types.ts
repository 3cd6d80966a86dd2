// Triggers as users make them, and what has become of their deliveries.

import type { EventFilter } from "#lib/events/filter.ts";
import type { StoredEvent } from "#lib/events/types.ts";

/** The database whose events it is about. */
export interface Home {
  readonly databaseId: number;
  readonly name: string;
}

export interface TriggerFields extends EventFilter {
  readonly name: string;
  /** Where matching events are posted to. */
  readonly url: string;
  readonly isEnabled: boolean;
}

/** Everything about a trigger but its secret. */
export interface Trigger extends TriggerFields {
  readonly triggerId: number;
  readonly createdMs: number;
  readonly updatedMs: number;
  /** Every event up to here is delivered, or was not wanted. */
  readonly cursorSeq: number;
  /** In a row, up to now. */
  readonly failureCount: number;
  readonly failingSinceMs: number | null;
  /** null: at once. */
  readonly nextAttemptMs: number | null;
  readonly deliveredCount: number;
  readonly lastDeliveryMs: number | null;
  readonly lastAttemptMs: number | null;
  /** HTTP status of the last answer; null: there was none. */
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  /** Why it was disabled by itself; null: it was not. */
  readonly disabledReason: string | null;
}

/** A stretch of the stream as it was read. */
export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Every event up to there is among them, or there is none. */
  readonly upTo: number;
}

/** What one request delivers. It stays the same however often it has to be sent. */
export interface TriggerBatch {
  readonly batchId: string;
  /** Place of the stream up to which the cursor goes once it is delivered. */
  readonly endSeq: number;
}
