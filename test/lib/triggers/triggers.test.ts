import { beforeEach, describe, expect, test } from "vitest";
import { Archive } from "#lib/archive/archive.ts";
import type { OutboxEvent } from "#lib/archive/archive-tables.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { StoredEvent } from "#lib/events/types.ts";
import { Triggers } from "#lib/triggers/triggers.ts";
import type { TriggerFields } from "#lib/triggers/types.ts";
import type { WebhookOutcome } from "#lib/webhooks/answers.ts";
import type { Webhook } from "#lib/webhooks/sign.ts";
import { ManualAlarm, ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";
import { seededRandom } from "../../helpers/seeded-random.ts";

const HOME = { databaseId: 1, name: "default" };
const SECRET = "whsec_planted";
const YES: WebhookOutcome = { kind: "delivered", status: 204 };
const NO = { kind: "failed", status: 500, reason: "planted", retryAfterMs: null } as const;

let store: MemorySqlStore;
let clock: ManualClock;
let alarm: ManualAlarm;
let triggers: Triggers;
let archived: OutboxEvent[];
/** All that the stream has, for ever. */
let stream: StoredEvent[];
let sent: Webhook[];
let readCount: number;
let failures: number;
let onRead: () => void;
let onSend: (webhook: Webhook) => WebhookOutcome | Promise<WebhookOutcome>;

function start(): void {
  let ids = 0;
  const shared = { store, clock, newId: () => `${clock.nowMs()}-${ids++}` };
  const archive = new Archive({
    ...shared,
    alarm: new ManualAlarm(),
    post: async (event) => void archived.push(event),
    report: () => {},
  });
  triggers = new Triggers({
    ...shared,
    alarm,
    archive,
    random: () => 0,
    position: () => stream.length,
    async readEvents(_, afterSeq, toSeq) {
      readCount++;
      onRead();
      const upTo = Math.min(toSeq, afterSeq + 700);
      return { events: stream.slice(afterSeq, upTo), upTo };
    },
    async send(_, webhook) {
      sent.push(webhook);
      return onSend(webhook);
    },
    report: () => void failures++,
  });
}

beforeEach(() => {
  store = new MemorySqlStore();
  clock = new ManualClock();
  alarm = new ManualAlarm();
  archived = [];
  stream = [];
  sent = [];
  readCount = 0;
  failures = 0;
  onRead = () => {};
  onSend = () => YES;
  start();
});

function create(fields: Partial<TriggerFields> = {}): number {
  const base = { name: "hook", tags: ["a"], type: null, url: "https://e.org/x", isEnabled: true };
  return triggers.create(HOME, { ...base, ...fields }, SECRET).triggerId;
}

/** Stores events; every one that `isWanted` has the tag `a`. */
function storeEvents(
  count: number,
  isWanted: (seq: number) => boolean = () => true,
): StoredEvent[] {
  const events = Array.from({ length: count }, (_, i): StoredEvent => {
    const seq = stream.length + 1 + i;
    const tags = isWanted(seq) ? ["a", "b"] : ["b"];
    return { id: `e${seq}`, seq, type: "event", tags, valueJson: null, timeUs: seq };
  });
  stream.push(...events);
  return events;
}

async function post(count: number, isWanted?: (seq: number) => boolean): Promise<void> {
  triggers.onEvents(storeEvents(count, isWanted), stream.length);
  await rest();
}

/** Until nothing is under way; everything planted answers at once. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

const seqsOf = ({ body }: Webhook) =>
  (JSON.parse(body) as { data: { events: { seq: number }[] } }).data.events.map(({ seq }) => seq);
const seqs = () => sent.flatMap(seqsOf);
const range = (count: number, from = 1) => Array.from({ length: count }, (_, i) => from + i);

async function ring(): Promise<void> {
  clock.advance(Math.max(0, alarm.atMs! - clock.nowMs()));
  triggers.onAlarm();
  await rest();
}

describe("a trigger that keeps up", () => {
  test("gets what it wants without a query", async () => {
    create();
    await post(5, (seq) => seq % 2 === 1);
    await post(2);
    expect(sent.map(seqsOf)).toEqual([
      [1, 3, 5],
      [6, 7],
    ]);
    expect(readCount).toBe(0);
  });

  test("reads what it missed while the object was not told", async () => {
    create();
    await post(1);
    storeEvents(3);
    await post(1);
    expect(seqs()).toEqual(range(5));
    expect(readCount).toBe(1);
    triggers.onEvents([], stream.length);
    storeEvents(2);
    triggers.onEvents([], stream.length);
    await rest();
    expect(seqs()).toEqual(range(7));
  });

  test("is sent one request at a time", async () => {
    const gate = Promise.withResolvers<WebhookOutcome>();
    onSend = () => gate.promise;
    create();
    await post(1);
    await post(1);
    expect(sent).toHaveLength(1);
    gate.resolve(YES);
    onSend = () => YES;
    await rest();
    expect(sent.map(seqsOf)).toEqual([[1], [2]]);
  });

  test("gets batches of a bounded size", async () => {
    create();
    const [event] = storeEvents(1);
    stream[0] = { ...event!, valueJson: JSON.stringify("x".repeat(600_000)) };
    storeEvents(2);
    stream[1] = { ...stream[1]!, valueJson: stream[0].valueJson };
    storeEvents(200);
    triggers.onEvents(stream, stream.length);
    await rest();
    expect(sent.map((webhook) => seqsOf(webhook).length)).toEqual([1, 100, 100, 2]);
    expect(seqs()).toEqual(range(203));
    expect(LIMITS.triggerRequestBytesMax).toBeLessThan(2 * 600_000);
  });
});

describe("a failure", () => {
  test("is followed by the same request, and then by the rest", async () => {
    onSend = () => (sent.length === 1 ? NO : YES);
    const id = create();
    await post(2);
    await post(1);
    expect(triggers.find(id)).toMatchObject({
      failureCount: 1,
      lastError: "planted",
      cursorSeq: 0,
    });
    expect(alarm.atMs).toBe(clock.nowMs() + LIMITS.webhookRetryMs);
    await ring();
    expect(sent.map(seqsOf)).toEqual([[1, 2], [1, 2], [3]]);
    expect(sent[1]).toEqual(sent[0]);
    expect(triggers.find(id)).toMatchObject({ failureCount: 0, cursorSeq: 3, deliveredCount: 3 });
  });

  test("of reading does not count as the receiver's", async () => {
    onRead = () => {
      onRead = () => {};
      throw new Error("planted");
    };
    const id = create();
    storeEvents(2);
    await post(0);
    expect([failures, sent.length, triggers.find(id).failureCount]).toEqual([1, 0, 0]);
    expect(triggers.find(id).lastError).toContain("could not be read");
    await ring();
    expect(seqs()).toEqual([1, 2]);
  });

  test("that goes on for a day disables the trigger, and that is an event", async () => {
    onSend = () => NO;
    const id = create();
    await post(1);
    const fromMs = clock.nowMs();
    while (triggers.find(id).isEnabled) await ring();
    expect(clock.nowMs() - fromMs).toBeGreaterThanOrEqual(LIMITS.webhookGiveUpAfterMs);
    expect(sent.length).toBeGreaterThanOrEqual(LIMITS.webhookGiveUpFailuresMin);
    expect(triggers.find(id).disabledReason).toContain(`all ${sent.length} requests since`);
    await rest();
    expect(archived.map(({ type }) => type)).toEqual(["archive", "trigger", "archive"]);
    expect(archived[1]!.tags).toEqual([
      "triggers",
      "triggers:hook",
      "triggers:disabled",
      "databases:default",
    ]);
    expect(JSON.stringify(archived)).not.toContain(SECRET);
    const count = sent.length;
    await post(1);
    expect(sent).toHaveLength(count);
    onSend = () => YES;
    triggers.update(HOME, id, { isEnabled: true }, null);
    await rest();
    expect(seqsOf(sent.at(-1)!)).toEqual([1, 2]);
    expect(triggers.find(id)).toMatchObject({ disabledReason: null, failureCount: 0 });
  });
});

describe("a change", () => {
  test("while a request is under way counts: its answer does not", async () => {
    const gate = Promise.withResolvers<WebhookOutcome>();
    onSend = () => gate.promise;
    const id = create();
    await post(1);
    triggers.update(HOME, id, { url: "https://other.org/" }, null);
    onSend = () => YES;
    gate.resolve(YES);
    await rest();
    expect(sent.map(seqsOf)).toEqual([[1], [1]]);
    expect(sent[1]!.webhookId).not.toBe(sent[0]!.webhookId);
    expect(triggers.find(id).deliveredCount).toBe(1);
  });

  test("that removes it leaves nothing to be sent", async () => {
    const id = create();
    triggers.remove(HOME, id);
    await post(1);
    expect(sent).toEqual([]);
    expect(() => triggers.find(id)).toThrow("not found");
  });

  test("that ends the stream ends what is under way, without a word", async () => {
    const gate = Promise.withResolvers<WebhookOutcome>();
    onSend = () => gate.promise;
    create();
    await post(1);
    triggers.stop();
    store.exec("DROP TABLE event_trigger");
    gate.resolve(YES);
    await rest();
    expect(failures).toBe(0);
  });

  test("may not make more triggers than a database has", () => {
    for (let at = 0; at < LIMITS.triggersPerDatabaseMax; at++) create({ name: `hook ${at}` });
    expect(() => create()).toThrow(`${LIMITS.triggersPerDatabaseMax} triggers at most`);
  });
});

describe("a crash", () => {
  test("loses no event, and repeats only what was not confirmed, under its id", async () => {
    for (const seed of range(25)) {
      store = new MemorySqlStore();
      stream = [];
      sent = [];
      const random = seededRandom(seed);
      /** A request that came again had the same events. */
      let isSame = true;
      /** What the receiver has, by the id of the request. */
      const taken = new Map<string, number[]>();
      onSend = async (webhook) => {
        const pick = random();
        if (pick < 0.3) return NO;
        const known = taken.get(webhook.webhookId) ?? seqsOf(webhook);
        isSame &&= seqsOf(webhook).join() === known.join();
        taken.set(webhook.webhookId, seqsOf(webhook));
        // It has taken them, and the sender does not live to hear of it.
        return pick < 0.6 ? await new Promise(() => {}) : YES;
      };
      start();
      create();
      for (let step = 0; step < 30; step++) {
        const events = storeEvents(Math.floor(random() * 400), (seq) => seq % 3 !== 0);
        if (random() < 0.7) triggers.onEvents(events, stream.length);
        await rest();
        if (random() < 0.4) start();
        clock.advance(3_600_000);
        triggers.onAlarm();
        await rest();
      }
      onSend = (webhook) => {
        taken.set(webhook.webhookId, seqsOf(webhook));
        return YES;
      };
      clock.advance(3_600_000);
      start();
      triggers.onAlarm();
      for (let turn = 0; turn < 20; turn++) await rest();
      const wanted = stream.map(({ seq }) => seq).filter((seq) => seq % 3 !== 0);
      expect([...taken.values()].flat(), `seed ${seed}`).toEqual(wanted);
      expect(isSame, `seed ${seed}`).toBe(true);
    }
  });

  test("brings back an alarm for what is left", async () => {
    create();
    storeEvents(1);
    alarm.clear();
    start();
    expect(alarm.atMs).toBe(clock.nowMs());
    await ring();
    expect(seqs()).toEqual([1]);
  });
});
