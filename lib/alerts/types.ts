// Alert rules as users make them, and what has become of each label set that they watch.

/** The database that the rules are of. */
export interface Home {
  readonly databaseId: number;
  readonly name: string;
  readonly shardCount: number;
}

export const OPERATORS = [">", ">=", "<", "<=", "==", "!="] as const;
export const DIRECTIONS = ["both", "above", "below"] as const;
export const MISSING_POLICIES = ["ok", "keep", "firing"] as const;

/** What is done with the rows of the rule's query. */
export type RuleTest =
  | {
      readonly kind: "condition";
      readonly operator: (typeof OPERATORS)[number];
      readonly threshold: number;
    }
  | AnomalyTest
  /** `metric`: the name of a metric of its own; null: they are series of `sluice_custom_value`. */
  | { readonly kind: "metric"; readonly metric: string | null };

/** See baseline.ts. */
export interface AnomalyTest {
  readonly kind: "anomaly";
  readonly bucketMs: number;
  readonly seasonMs: number;
  /** How many scaled MADs from the median are one too many. */
  readonly sensitivity: number;
  /** In the unit of the value: less never fires. */
  readonly deviationMin: number;
  /** Values of the same slot of earlier seasons, before it says anything. */
  readonly historyMin: number;
  readonly direction: (typeof DIRECTIONS)[number];
}

export interface RuleFields {
  readonly name: string;
  readonly test: RuleTest;
  readonly sql: string;
  readonly everyMs: number;
  /** So long it must hold. */
  readonly forMs: number;
  /** What a label set is taken for that the query no longer answers with. */
  readonly missing: (typeof MISSING_POLICIES)[number];
  readonly severity: string;
  /** null: changes are events, and nobody is sent a webhook. */
  readonly url: string | null;
  /** A firing alert is told again this often; 0: once. */
  readonly repeatMs: number;
  readonly isEnabled: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Rule extends RuleFields {
  readonly ruleId: number;
  readonly createdMs: number;
  readonly updatedMs: number;
}

export type InstanceState = "ok" | "pending" | "firing" | "resolved";

/** What a rule knows of one label set. */
export interface Instance {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: InstanceState;
  /** As it was seen last; null: it was missing. */
  readonly value: number | null;
  /** Anomalies: what was expected, and how far from it is too far. */
  readonly expected: Expected | null;
  /** For how long the condition is known to hold. */
  readonly heldMs: number;
  /** When it came into its state. */
  readonly sinceMs: number;
  /** The receiver was told that it fires. */
  readonly isTold: boolean;
  readonly toldMs: number | null;
}

export interface Expected {
  readonly median: number;
  readonly tolerance: number;
}

/** What a run has seen of a label set. */
export interface Observation {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | null;
  readonly expected: Expected | null;
  /** null: that cannot be said, so its state stays. */
  readonly isMet: boolean | null;
}

/** A value that a rule of the kind `metric` has last seen. */
export interface Sample {
  /** The column that it was in. */
  readonly series: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** How a rule's runs have gone. */
export interface RunState {
  readonly nextMs: number | null;
  readonly lastRunMs: number | null;
  /** Of the last run that came to a result. */
  readonly lastOkMs: number | null;
  readonly durationMs: number | null;
  /** In a row, up to now. */
  readonly failureCount: number;
  readonly lastError: string | null;
  /** Label sets or series of the last run beyond what a rule may have. */
  readonly leftOutCount: number;
  readonly silencedUntilMs: number | null;
  readonly instances: readonly Instance[];
  readonly samples: readonly Sample[];
}

/** How the webhooks of a rule have gone. */
export interface DeliveryState {
  readonly failureCount: number;
  readonly failingSinceMs: number | null;
  /** null: at once. */
  readonly nextAttemptMs: number | null;
  readonly lastDeliveryMs: number | null;
  /** HTTP status of the last answer; null: there was none. */
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  /** Given up: nobody took them for too long, or there were too many. */
  readonly droppedCount: number;
}

export type CellKind = "number" | "text" | "time" | "other";
export type Cell = number | string | null;

/** A query's answer. Times are ms since 1970; what is `other` is null. */
export interface AlertRows {
  readonly columns: readonly { readonly name: string; readonly kind: CellKind }[];
  readonly rows: readonly (readonly Cell[])[];
}
