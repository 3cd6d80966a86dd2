// What the conformance queries ask about: small tables, the same in every run, each in batches, so
// that rows can lie in several files and in the tail, and schemas can grow on the way.
//
// Nothing is random. Times are microseconds. Patterns have periods without common divisors, so that
// groups differ in size and in sum.

import type { ColumnType } from "#lib/columnar/types.ts";
import type { Columns } from "../helpers/query-world.ts";
import { SEED_TYPES, seedTelemetry } from "../helpers/seed-telemetry.ts";
import { NEWEST, NUMBERS, SENSOR, SINGLE, VACANT, WORDS } from "./data-of-corners.ts";

export interface SeededTable {
  /** What the table's columns are once all batches have come. */
  readonly types: Readonly<Record<string, ColumnType>>;
  /** By round; null: none comes. A column that a batch does not have is NULL in its rows. */
  readonly batches: readonly (Columns | null)[];
}

const MINUTE = 60_000_000;
/** Late in the evening before the clocks of Europe are set back. */
const EVENING = Date.UTC(2025, 9, 25, 20) * 1_000;

export function seededTables(): Readonly<Record<string, SeededTable>> {
  return {
    cpu: { types: CPU, batches: inBatches(cpu(), 40) },
    events: { types: EVENTS, batches: inBatches(events(), 25) },
    users: { types: USERS, batches: inBatches(users(), 5) },
    trades: { types: TRADES, batches: inBatches(trades(), 9) },
    quotes: { types: QUOTES, batches: inBatches(quotes(), 7) },
    spans: { types: SPANS, batches: inBatches(spans(), 6) },
    numbers: NUMBERS,
    words: WORDS,
    sensor: SENSOR,
    vacant: VACANT,
    single: SINGLE,
    newest: NEWEST,
    ...telemetry(),
  };
}

const CPU = {
  time: "timestamp",
  host: "utf8",
  region: "utf8",
  usage: "float64",
  cores: "int64",
  throttled: "bool",
} as const;

function cpu(): Columns {
  const hosts = ["web-1", "web-2", "db-1", "cache-ä"];
  return rows(120, (i) => ({
    time: EVENING + Math.floor(i / 4) * 30 * MINUTE + (i % 4) * 1_001,
    host: hosts[i % 4],
    region: i % 7 === 0 ? null : ["eu", "us"][i % 2],
    usage: i % 11 === 5 ? null : ((i * 37) % 101) + ((i * 13) % 8) / 8,
    cores: [4, 8, 16, 8][i % 4],
    throttled: i % 9 === 0 ? null : i % 5 === 0,
  }));
}

const EVENTS = {
  time: "timestamp",
  event_type: "utf8",
  severity: "utf8",
  user_id: "int64",
  duration_ms: "int64",
  success: "bool",
  amount: "float64",
  metadata: "utf8",
  tags: "utf8",
} as const;

function events(): Columns {
  const types = ["login", "payment", "deployment", "logout", "error"];
  const tags = ["red", "green", "blue", "alpha"];
  return rows(100, (i) => ({
    time: EVENING + i * 17 * MINUTE + ((i * 7_919) % 60) * 1_000_000,
    event_type: types[(i * 7 + Math.floor(i / 3)) % 5],
    severity: ["info", "warning", "error", "critical"][(i * 3) % 4],
    user_id: i % 13 === 4 ? null : (i * 5) % 9,
    duration_ms: ((i * 101) % 97) * 250,
    success: i % 17 === 3 ? null : i % 3 !== 0,
    amount: i % 6 === 1 ? null : ((i * 29) % 83) * 1.25 - 10,
    metadata: {
      ip: `10.0.0.${i % 7}`,
      retries: i % 4,
      user: { name: `user ${i % 3}`, roles: ["reader", "writer"].slice(0, i % 3) },
      ...(i % 5 === 0 ? { note: null } : {}),
      ...(i % 8 === 0 ? { ratio: i / 16 } : {}),
    },
    tags: tags.slice(i % 4),
  }));
}

const USERS = {
  time: "timestamp",
  id: "int64",
  name: "utf8",
  plan: "utf8",
  manager_id: "int64",
  joined: "timestamp",
} as const;

/** Ids 2 to 11: some of them have no events, and some events have no user. */
function users(): Columns {
  const names = "Ada Börje Chloé Dmitri Edsger Frances Grace Haruki İpek José".split(" ");
  return rows(10, (i) => ({
    time: EVENING + i * 1_000,
    id: i + 2,
    name: names[i],
    plan: [null, "free", "pro"][i % 3],
    manager_id: i === 0 ? null : 2 + Math.floor((i - 1) / 2),
    joined: i === 4 ? null : new Date(Date.UTC(2024, i, 28 + (i % 3), i, 30)),
  }));
}

const TRADES = { time: "timestamp", symbol: "utf8", price: "float64", quantity: "int64" } as const;

function trades(): Columns {
  return rows(27, (i) => ({
    time: EVENING + i * 5 * MINUTE,
    symbol: ["AB", "CD", "EF"][(i * 2) % 3],
    price: 100 + ((i * 31) % 17) / 4,
    quantity: (i * 7) % 10,
  }));
}

const QUOTES = { time: "timestamp", symbol: "utf8", bid: "float64" } as const;

/** None of them before the first trades of AB, and none at all of EF. */
function quotes(): Columns {
  return rows(21, (i) => ({
    time: EVENING + 20 * MINUTE + i * 6 * MINUTE,
    symbol: ["CD", "AB"][i % 2],
    bid: 100 + ((i * 19) % 13) / 4,
  }));
}

const SPANS = {
  time: "timestamp",
  span_id: "utf8",
  parent_id: "utf8",
  service: "utf8",
  start_ns: "int64",
  duration_ns: "int64",
} as const;

function spans(): Columns {
  return rows(18, (i) => ({
    time: EVENING + i * 1_234,
    span_id: `s${i}`,
    parent_id: i % 9 === 0 ? null : `s${i - (i % 9) + Math.floor(((i % 9) - 1) / 2)}`,
    service: ["gateway", "orders", "billing", "stock"][i % 4],
    start_ns: BigInt(EVENING + i * 1_234) * 1_000n + BigInt(i * 7),
    duration_ns: ((i * 7_919) % 1_000) * 1_000 + i,
  }));
}

/** When the documents' queries are asked, for the engines and the tables that they are about. */
export const CLOCK_MS = Date.UTC(2025, 9, 28, 15);

function telemetry(): Record<string, SeededTable> {
  const typeOf: Record<string, ColumnType> = {
    TIMESTAMP: "timestamp",
    VARCHAR: "utf8",
    BIGINT: "int64",
    BOOLEAN: "bool",
    DOUBLE: "float64",
  };
  const tables = Object.entries(seedTelemetry(CLOCK_MS)).map(([name, columns]) => {
    const types = Object.entries(SEED_TYPES[name]!).map(([key, type]) => [key, typeOf[type]!]);
    const time = (columns["time"] as number[]).map((ms) => ms * 1_000);
    const batches = inBatches({ ...columns, time }, 200);
    return [name, { types: Object.fromEntries(types) as SeededTable["types"], batches }];
  });
  return Object.fromEntries(tables) as Record<string, SeededTable>;
}

function rows(count: number, make: (i: number) => Record<string, unknown>): Columns {
  const made = Array.from({ length: count }, (_, i) => make(i));
  return Object.fromEntries(
    Object.keys(made[0]!).map((name) => [name, made.map((row) => row[name])]),
  );
}

function inBatches(columns: Columns, rowsMax: number): Columns[] {
  const rowCount = columns["time"]!.length;
  const starts = Array.from({ length: Math.ceil(rowCount / rowsMax) }, (_, i) => i * rowsMax);
  return starts.map((start) =>
    Object.fromEntries(
      Object.entries(columns).map(([name, all]) => [name, all.slice(start, start + rowsMax)]),
    ),
  );
}
