// Random events and random questions: what the engine answers is what plain JavaScript says.

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { aggregateAnswer, aggregateQuestion, aggregateSql } from "#lib/events/query/aggregate.ts";
import type { Sql } from "#lib/events/query/conditions.ts";
import { eventFilter, type EventFilter } from "#lib/events/query/filter.ts";
import { type EventKey, eventsOf, eventsSql, findKeys } from "#lib/events/query/page.ts";
import { nextCursor, type PageQuestion, pageQuestion } from "#lib/events/query/page.ts";
import { EVENTS_MEASUREMENT, type StoredEvent, tagsJson } from "#lib/events/types.ts";
import { engineModules } from "../../../helpers/duckdb-wasm.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../../helpers/property.ts";
import { QueryWorld, resultOptions } from "../../../helpers/query-world.ts";

const T0_US = Date.UTC(2026, 0, 1) * 1_000;
const NOW_US = BigInt(T0_US) + 3_600_000_000n;
const HOUR_S = 3_600;

/** With what JSON has signs for, and what LIKE would. */
const ODD_TAGS = [
  "a,",
  ",",
  "]",
  '"',
  'a"',
  '","',
  "\\",
  "\\u0061",
  "é",
  "%",
  "_",
  " ",
  "🙂",
  "null",
];
const SERVICES = ["services", "services:a", "services:b", "services:a:0.2", "service"];
const tag = fc.constantFrom("a", "b", ...ODD_TAGS, ...SERVICES);
const type = fc.constantFrom("event", "metrics", "Health-1");
const value = fc.oneof(
  fc.constant(null),
  fc.integer({ min: -100, max: 100 }).map(String),
  fc.constantFrom('"12"', "true", "null", '""', "[1,2]", "{}", '{"n":"3"}', '{"n":{"x":7}}'),
  fc.integer({ min: -100, max: 100 }).map((n) => JSON.stringify({ n, "a.b": n / 4 })),
);
/** Many share a time, so that the order of the stream has to tell them apart. */
const time = fc.integer({ min: -HOUR_S, max: HOUR_S }).map((s) => T0_US + s * 1_000_000);
const event = fc.record({
  id: fc.uuid(),
  type,
  tags: fc.array(tag, { maxLength: 5 }),
  valueJson: value,
  timeUs: fc.oneof(
    time,
    time,
    fc.nat(3_600_000_000).map((us) => T0_US + us),
  ),
});
const events = fc
  .array(event, { minLength: 100, maxLength: 200 })
  .map((list) => list.map((one, at): StoredEvent => ({ ...one, seq: at * 2 + 1 })));

const moment = fc.oneof(
  fc.constantFrom("now", "now-30m", "now/h", "now-1h/d", "2026-01-01", "2026-01-01||+20m/m"),
  time.map((us) => us / 1_000),
);
const timestamp = fc.oneof(
  moment,
  fc.record({ gte: moment, gt: moment, lte: moment, lt: moment }, { requiredKeys: [] }),
);
const filter = fc.record(
  { tags: fc.array(tag, { maxLength: 2 }), type, timestamp },
  { requiredKeys: [] },
);

const world = new QueryWorld("default");
beforeAll(() => world.open(engineModules()));

async function store(stored: readonly StoredEvent[]): Promise<void> {
  const database = world.get();
  const half = Math.floor(stored.length / 2);
  for (const part of [stored.slice(0, half), stored.slice(half)]) {
    database.append(EVENTS_MEASUREMENT, {
      time: part.map(({ timeUs }) => BigInt(timeUs)),
      id: part.map(({ id }) => id),
      seq: part.map(({ seq }) => seq),
      type: part.map((one) => one.type),
      tags: part.map(({ tags }) => tagsJson(tags)),
      value: part.map(({ valueJson }) => valueJson),
    });
    if (part[0] === stored[0]) await database.flush();
  }
}

async function ask({ text, params }: Sql): Promise<unknown[][]> {
  const question = { kind: "sql", sql: text, params, isEstimate: false } as const;
  const result = resultOptions("json", { areLongsQuoted: true });
  const response = await world.ask({ question, result });
  const answer = (await response.json()) as { data?: unknown[][]; error?: string };
  expect(answer.error).toBeUndefined();
  return answer.data!;
}

async function keysAt(question: PageQuestion, position: number): Promise<EventKey[]> {
  return await findKeys(question, position, ask);
}

async function eventsAt(keys: readonly EventKey[]): Promise<StoredEvent[]> {
  return keys.length === 0 ? [] : eventsOf(keys, await ask(eventsSql(keys)));
}

function isMeant({ tags, type: wanted, fromUs, toUs }: EventFilter): (one: StoredEvent) => boolean {
  return (one) =>
    tags.every((each) => one.tags.includes(each)) &&
    (wanted === null || one.type === wanted) &&
    (fromUs === null || BigInt(one.timeUs) >= fromUs) &&
    (toUs === null || BigInt(one.timeUs) <= toUs);
}

function numberOf({ valueJson }: StoredEvent, field: string | undefined): number | null {
  const parsed: unknown = JSON.parse(valueJson ?? "null");
  const found = field === undefined ? parsed : (parsed as Record<string, unknown>)?.[field];
  return typeof found === "number" ? found : null;
}

let stored: readonly StoredEvent[] = [];
beforeAll(async () => {
  const { FC_SEED } = process.env;
  const seed = FC_SEED === undefined ? Date.now() % 1_000_000 : Number(FC_SEED);
  console.log(`events of seed ${seed}`);
  [stored] = fc.sample(events, { seed, numRuns: 1 }) as [StoredEvent[]];
  await store(stored);
});

describe("a question about events", () => {
  test(
    "gives each event that meets it once and in order, page by page",
    async () => {
      const order = fc.constantFrom("asc" as const, "desc" as const);
      const property = fc.asyncProperty(
        filter,
        order,
        fc.integer({ min: 1, max: 60 }),
        fc.nat(400),
        async (asked, direction, perPage, position) => {
          const sign = direction === "asc" ? 1 : -1;
          const wanted = stored
            .filter(isMeant(eventFilter(asked, NOW_US)))
            .filter(({ seq }) => seq <= position)
            .toSorted((a, b) => sign * (a.timeUs - b.timeUs || a.seq - b.seq));
          const request = { ...asked, order: direction, per_page: perPage };
          const found: StoredEvent[] = [];
          let cursor: string | null = null;
          do {
            const part: object = cursor === null ? { position } : { cursor };
            const question = pageQuestion({ ...request, ...part }, "default", NOW_US);
            expect(question.position).toBe(position);
            const keys = await keysAt(question, position);
            found.push(...(await eventsAt(keys.slice(0, perPage))));
            cursor = nextCursor(keys, question, position);
          } while (cursor !== null);
          expect(found).toEqual(wanted);
          const second = pageQuestion({ ...request, page: 2, position }, "default", NOW_US);
          const numbered = await keysAt(second, position);
          expect(await eventsAt(numbered.slice(0, perPage))).toEqual(
            wanted.slice(perPage, 2 * perPage),
          );
        },
      );
      await fc.assert(property, propertyRuns(25));
    },
    PROPERTY_TIMEOUT_MS,
  );

  test(
    "is summed up as the numbers of those that meet it",
    async () => {
      const property = fc.asyncProperty(filter, aggregator, async (asked, summed) => {
        const percentiles = summed.type === "percentiles" ? { percentiles: [50, 90] } : {};
        const request = { ...asked, aggregator: { ...summed, ...percentiles } };
        const question = aggregateQuestion(request, NOW_US);
        const answer = aggregateAnswer(await ask(aggregateSql(question)), question);
        const wanted = stored.filter(isMeant(eventFilter(asked, NOW_US)));
        expect(inOneOrder(answer)).toEqual(inOneOrder(expectedSum(wanted, summed)));
      });
      await fc.assert(property, propertyRuns(120));
    },
    PROPERTY_TIMEOUT_MS,
  );
});

const SUMS = {
  count: (numbers: number[]) => numbers.length,
  sum: (numbers: number[]) => numbers.reduce((sum, one) => sum + one, 0),
  average: (numbers: number[]) => SUMS.sum(numbers) / numbers.length,
  min: (numbers: number[]) => Math.min(...numbers),
  max: (numbers: number[]) => Math.max(...numbers),
  percentiles: (numbers: number[]) => ({ 50: quantile(numbers, 0.5), 90: quantile(numbers, 0.9) }),
};

const aggregator = fc.record(
  {
    type: fc.constantFrom(...(Object.keys(SUMS) as (keyof typeof SUMS)[])),
    field: fc.constantFrom("n", "/a.b"),
    interval: fc.constantFrom("10m", "7s", "1h", "1w"),
    group_by: fc.constantFrom("type", "tag", "tag:services"),
  },
  { requiredKeys: ["type"] },
);
interface Summed {
  readonly type: keyof typeof SUMS;
  readonly field?: string;
  readonly interval?: string;
  readonly group_by?: string;
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

function expectedSum(wanted: readonly StoredEvent[], summed: Summed): object {
  if (summed.interval === undefined && summed.group_by === undefined) {
    return { value: sumOf(wanted, summed) };
  }
  const groups = new Map<string, StoredEvent[]>();
  for (const one of wanted) {
    for (const key of keysOf(one, summed)) groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const rows = [...groups].map(([key, group]) => ({
    ...(JSON.parse(key) as object),
    value: sumOf(group, summed),
  }));
  return { rows, truncated: false };
}

function sumOf(group: readonly StoredEvent[], { type: kind, field }: Summed): unknown {
  if (kind === "count" && field === undefined) return group.length;
  const name = field === "/a.b" ? "a.b" : field;
  const numbers = group.map((one) => numberOf(one, name)).filter((one) => one !== null);
  if (numbers.length > 0 || kind === "count") return SUMS[kind](numbers);
  return kind === "percentiles" ? { 50: null, 90: null } : null;
}

/** What the rows are told apart by in which the event counts. */
function keysOf(one: StoredEvent, { interval, group_by: by }: Summed): string[] {
  const time = interval === undefined ? {} : { timestamp: bucketOf(one.timeUs, interval) };
  const tags = [...new Set(one.tags)];
  const services = tags.filter((each) => each.startsWith("services:"));
  const names =
    by === undefined
      ? [{}]
      : by === "type"
        ? [{ type: one.type }]
        : (by === "tag" ? tags : services).map((each) => ({ tag: each }));
  return names.map((name) => JSON.stringify({ ...time, ...name }));
}

const SECONDS: Record<string, number> = { "10m": 600, "7s": 7, "1h": HOUR_S, "1w": 604_800 };

/** Buckets are counted from the first Monday of the year 2000. */
function bucketOf(timeUs: number, interval: string): string {
  const width = SECONDS[interval]! * 1_000;
  const origin = Date.UTC(2000, 0, 3);
  const ms = origin + Math.floor((timeUs / 1_000 - origin) / width) * width;
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

/** Rows by their text, and numbers to the digits that any order of summing gives. */
function inOneOrder(answer: object): unknown {
  const { rows, ...rest } = rounded(answer) as { rows?: object[] };
  return { ...rest, rows: rows?.map((row) => JSON.stringify(row)).toSorted() };
}

function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, one: unknown) =>
      typeof one === "number" ? Number(one.toPrecision(12)) + 0 : one,
    ),
  );
}
