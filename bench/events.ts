// The rows that all benchmarks use: seeded twelve-column events in batches of 10,000.
//
// About 124 bytes per event as MessagePack and 18 gzipped, with the skew of real telemetry: few
// event types and sources, many users, resource ids that never repeat. No two batches are equal,
// and the times of each go on where those of the one before ended, as from one busy client.

import { promisify } from "node:util";
import { gzip } from "node:zlib";

import type { Columns } from "../clients/client/columns.ts";
import { encodeColumns } from "../clients/client/encode-columns.ts";
import { Random } from "../clients/samples/random.ts";

export const ROWS_PER_BATCH = 10_000;

/** Where a run of batches begins, and how far its rows are apart. */
export interface Beginning {
  readonly seed: number;
  readonly startMs: number;
  /** The largest step from one row to the next; the mean is a quarter of it, less half a ms. */
  readonly stepMsMax: number;
}

const BEGINNING: Beginning = {
  seed: 20_260_101,
  startMs: Date.UTC(2026, 0, 1),
  stepMsMax: 12,
};

const CATEGORIES = ["deploy", "scaling", "security", "billing"] as const;
type Category = (typeof CATEGORIES)[number];

const ACTIONS = ["started", "completed", "failed", "rolled_back", "queued"];
ACTIONS.push("retried", "cancelled", "updated", "created", "deleted");
const KINDS = CATEGORIES.flatMap((category) =>
  ACTIONS.map((action) => ({ category, type: `${category}_${action}` })),
);
const SEVERITIES = ["info", "info", "info", "info", "info", "info"];
SEVERITIES.push("warning", "warning", "error", "critical");
const ENVIRONMENTS = ["production", "production", "production", "production"];
ENVIRONMENTS.push("staging", "staging", "development");
const TEAMS = ["api", "auth", "billing", "build", "cron", "edge", "mail", "search", "store", "web"];
const SOURCES = TEAMS.flatMap((team) => [`${team}-service`, `${team}-worker`]);
const USER_COUNT = 200_000;

/** `batchCount` consecutive batches. */
export function* generateBatches(
  batchCount: number,
  { seed, startMs, stepMsMax } = BEGINNING,
): Generator<Columns> {
  const random = new Random(seed, "bench");
  let timeMs = startMs;
  for (let i = 0; i < batchCount; i++) {
    const rows = Array.from({ length: ROWS_PER_BATCH }, () => {
      timeMs += Math.floor(random.fraction() * random.fraction() * stepMsMax);
      return newRow(random, timeMs);
    });
    yield toColumns(rows);
  }
}

/** Request bodies as a client sends them. */
export async function gzippedBodies(
  batchCount: number,
  beginning = BEGINNING,
): Promise<Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  for (const columns of generateBatches(batchCount, beginning)) {
    bodies.push(await promisify(gzip)(encodeColumns("system_events", columns)));
  }
  return bodies;
}

type Row = ReturnType<typeof newRow>;

function newRow(random: Random, timeMs: number) {
  const { category, type } = KINDS[random.skewed(KINDS.length)]!;
  const severity = random.pick(SEVERITIES);
  const isBilling = category === "billing";
  return {
    timeMs,
    type,
    category,
    severity,
    source: SOURCES[random.skewed(SOURCES.length)]!,
    environment: random.pick(ENVIRONMENTS),
    userId: random.chance(0.35) ? "" : `usr_${base36(random.skewed(USER_COUNT), 5)}`,
    resourceId: `${isBilling ? "inv" : "pod"}-${base36(random.integer(0, 999_999), 4)}`,
    metadata: metadataOf(random, category),
    durationMs: random.chance(0.2) ? 0 : random.skewed(30_000),
    success: severity !== "error" && severity !== "critical",
    amount: isBilling ? random.integer(0, 50_000) / 100 : 0,
  };
}

function metadataOf(random: Random, category: Category): string {
  switch (category) {
    case "deploy": {
      const version = `v1.${random.skewed(12)}.${random.skewed(10)}`;
      return JSON.stringify({ version, replicas: 1 + random.skewed(9) });
    }
    case "scaling":
      return JSON.stringify({ from: 1 + random.skewed(10), to: 1 + random.skewed(20) });
    case "security": {
      const ip = `10.0.${random.skewed(256)}.${random.skewed(256)}`;
      return random.chance(0.5) ? "{}" : JSON.stringify({ ip, mfa: random.chance(0.5) });
    }
    case "billing":
      return JSON.stringify(
        random.chance(0.5) ? { plan: "pro" } : { plan: "team", seats: random.skewed(50) },
      );
  }
}

function toColumns(rows: readonly Row[]): Columns {
  return {
    time: rows.map((row) => row.timeMs),
    event_type: rows.map((row) => row.type),
    event_category: rows.map((row) => row.category),
    severity: rows.map((row) => row.severity),
    source: rows.map((row) => row.source),
    environment: rows.map((row) => row.environment),
    user_id: rows.map((row) => row.userId),
    resource_id: rows.map((row) => row.resourceId),
    metadata: rows.map((row) => row.metadata),
    duration_ms: rows.map((row) => row.durationMs),
    success: rows.map((row) => row.success),
    amount: Float64Array.from(rows, (row) => row.amount),
  };
}

function base36(value: number, digits: number): string {
  return value.toString(36).padStart(digits, "0");
}
