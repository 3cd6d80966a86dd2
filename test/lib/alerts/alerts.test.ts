// Rules that run, and receivers that are told, call by call.

import { beforeEach, describe, expect, test } from "vitest";
import { Alerts } from "#lib/alerts/alerts.ts";
import type { AlertRows } from "#lib/alerts/types.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { WebhookOutcome } from "#lib/webhooks/answers.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";
import { refusalOf } from "../../helpers/refusal.ts";

const HOME = { databaseId: 3, name: "db", shardCount: 1 };
const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const RULE = {
  name: "hot",
  kind: "condition",
  sql: "SELECT v",
  condition: { operator: ">", threshold: 10 },
  every: "1m",
  url: "https://example.org/",
};
const DELIVERED = { kind: "delivered", status: 204 } as const;

const world = {
  clock: new ManualClock(),
  alarm: new ManualAlarm(),
  value: 0,
  answer: DELIVERED as WebhookOutcome,
  queries: [] as string[],
  sent: [] as string[],
  events: [] as string[],
  reports: [] as string[],
  whileAsked: (): void => {},
  whileTold: (): void => {},
  alerts: null as unknown as Alerts,
};

beforeEach(() => {
  const store = new MemorySqlStore();
  const { clock, alarm } = Object.assign(world, {
    clock: new ManualClock(),
    alarm: new ManualAlarm(),
    value: 0,
    answer: DELIVERED,
    whileAsked: () => {},
    whileTold: () => {},
  });
  for (const list of [world.queries, world.sent, world.events, world.reports]) list.length = 0;
  let ids = 0;
  world.alerts = new Alerts({
    store,
    clock,
    alarm,
    newId: () => `id${ids++}`,
    random: () => 0,
    archive: {
      record: (work) => store.transact(work),
      note: () => {},
      noteEvent: (_, tags) => void world.events.push(tags[2]!),
      deliver: async () => {},
    },
    query: async (_, sql): Promise<AlertRows> => {
      world.queries.push(sql);
      await Promise.resolve();
      world.whileAsked();
      return { columns: [{ name: "v", kind: "number" }], rows: [[world.value]] };
    },
    storeSamples: async () => {},
    send: async (_, { body }) => {
      world.sent.push((JSON.parse(body) as { data: { status: string } }).data.status);
      await Promise.resolve();
      world.whileTold();
      return world.answer;
    },
    report: (event) =>
      void (event.event === "alerts_failed" && world.reports.push(`${event.error}`)),
  });
});

function create(fields: object = {}): number {
  return world.alerts.create(HOME, { ...RULE, ...fields }, SECRET).rule.ruleId;
}

/** Time passes, and all that is due happens. */
async function pass(ms: number): Promise<void> {
  world.clock.advance(ms);
  if (world.alarm.takeIfDue(world.clock.nowMs())) world.alerts.wake();
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a rule", () => {
  test("runs at its distances, and once for all that it missed", async () => {
    create();
    await pass(2_000);
    for (let minute = 0; minute < 3; minute++) await pass(60_000);
    expect(world.queries).toHaveLength(4);
    await pass(3_600_000);
    expect(world.queries).toHaveLength(5);
    await pass(60_000);
    expect(world.queries).toHaveLength(6);
  });

  test("runs on when the clock is set back, at the next poke", async () => {
    create();
    await pass(2_000);
    world.clock.advance(-86_400_000);
    world.alerts.wake();
    await pass(0);
    await pass(60_000);
    expect(world.queries).toHaveLength(3);
  });

  test("that is changed while it runs throws away what it asked as another", async () => {
    const id = create();
    world.value = 99;
    world.whileAsked = () => {
      world.whileAsked = () => {};
      world.alerts.update(HOME, id, { condition: { operator: ">", threshold: 1_000 } }, null);
    };
    await world.alerts.run(id);
    expect([world.alerts.find(id).run.instances, world.events]).toEqual([[], []]);
  });

  test("that is deleted while it fires is resolved; while it is told of, nothing goes wrong", async () => {
    const id = create();
    world.value = 99;
    world.whileTold = () => world.alerts.remove(HOME, id);
    await world.alerts.run(id).catch(() => {});
    await pass(0);
    expect(world.sent).toEqual(["firing"]);
    expect(world.events).toEqual(["alerts:firing", "alerts:resolved"]);
    expect([world.alerts.list(), world.reports]).toEqual([[], []]);
  });

  test("is one of so many at most, and has a name of its own", () => {
    for (let at = 1; at <= LIMITS.alertsPerDatabaseMax; at++) create({ name: `r${at}` });
    expect(refusalOf(() => create({ name: "r1" })).code).toBe("alert_exists");
    expect(refusalOf(() => create({ name: "one too many" })).code).toBe("parameter_invalid");
  });
});

describe("a receiver", () => {
  test("is told again while it fires, as often as the rule says", async () => {
    world.value = 99;
    create({ repeat: "10m" });
    await pass(2_000);
    for (let minute = 0; minute < 21; minute++) await pass(60_000);
    expect(world.sent).toEqual(["firing", "firing", "firing"]);
    world.value = 0;
    await pass(60_000);
    expect(world.sent.at(-1)).toBe("resolved");
  });

  test("that fails is asked again later, in order", async () => {
    const id = create({ every: "1h" });
    world.answer = { kind: "failed", status: 500, reason: "no", retryAfterMs: null };
    world.value = 99;
    await world.alerts.run(id);
    await pass(0);
    world.value = 0;
    await world.alerts.run(id);
    await pass(0);
    expect(world.sent).toEqual(["firing"]);
    await pass(LIMITS.webhookRetryMs);
    world.answer = DELIVERED;
    await pass(2 * LIMITS.webhookRetryMs);
    expect(world.sent).toEqual(["firing", "firing", "firing", "resolved"]);
    expect(world.alerts.find(id)).toMatchObject({ waitingCount: 0, delivery: { failureCount: 0 } });
  });

  test("that wants no more, or has too many waiting, is given up, which is an event", async () => {
    const id = create({ every: "1h" });
    world.answer = { kind: "gone", status: 410 };
    world.value = 99;
    await world.alerts.run(id);
    await pass(0);
    expect(world.events).toEqual(["alerts:firing", "alerts:undelivered"]);
    expect(world.alerts.find(id)).toMatchObject({ waitingCount: 0, delivery: { droppedCount: 1 } });
    world.answer = { kind: "failed", status: 500, reason: "no", retryAfterMs: 1e7 };
    for (let run = 0; run < LIMITS.alertNoticesMax + 2; run++) {
      world.value = 99 - world.value;
      await world.alerts.run(id);
    }
    await pass(1e7);
    const { waitingCount, delivery } = world.alerts.find(id);
    expect([waitingCount, delivery.droppedCount]).toEqual([LIMITS.alertNoticesMax, 3]);
  });
});
