// Posts of different clients share one append. So none that is accepted may be refused by it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { parseNewEvents } from "#lib/events/parse-events.ts";
import type { NewEvent } from "#lib/events/types.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import { StreamWorld } from "../../helpers/stream-world.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom("", "\0", "\ud800", "ä".repeat(128), "a,b", '"'),
);
const field = <T>(sane: fc.Arbitrary<T>) => fc.oneof({ weight: 9, arbitrary: sane }, fc.anything());
const event = fc.record(
  {
    tags: fc.oneof({ weight: 9, arbitrary: fc.array(anyText, { maxLength: 70 }) }, fc.anything()),
    id: field(fc.stringMatching(/^[A-Za-z0-9._:-]{0,66}$/)),
    type: field(fc.stringMatching(/^[A-Za-z0-9_-]{0,66}$/)),
    value: fc.oneof(fc.jsonValue(), anyText, fc.double(), fc.bigInt().map(String)),
    timestamp: field(
      fc
        .date({ min: new Date("1600-01-01"), max: new Date("2400-01-01"), noInvalidDate: true })
        .map((date) => date.toISOString()),
    ),
  },
  { requiredKeys: ["tags"] },
);
const body = fc.oneof(
  { weight: 4, arbitrary: fc.array(event, { maxLength: 4 }) },
  { weight: 4, arbitrary: event },
  fc.anything(),
);

test(
  "whatever is accepted is stored, with whatever it is posted at the same time",
  async () => {
    let acceptedCount = 0;
    const property = fc.asyncProperty(fc.array(body, { maxLength: 8 }), async (bodies) => {
      const world = new StreamWorld();
      const posts = bodies.map(accepted).filter((events) => events !== null);
      acceptedCount += posts.length;
      await Promise.all(posts.map((events) => world.hub.post(postOf(events))));
      expect(world.rows.map(({ value }) => value)).toEqual(
        posts.flat().map(({ valueJson }) => valueJson),
      );
    });
    await fc.assert(property, propertyRuns(300));
    expect(acceptedCount).toBeGreaterThan(0);
  },
  PROPERTY_TIMEOUT_MS,
);

test("posts that grow when they are written are grouped by what they become", async () => {
  // As JSON six times as long as it is, and a batch takes no more than so many bytes.
  const tag = (at: number) => String.fromCharCode(97 + at) + "\u0001".repeat(255);
  const tags = Array.from({ length: 26 }, (_, at) => tag(at));
  const text = JSON.stringify(Array.from({ length: 190 }, () => ({ tags })));
  expect(text.length).toBeLessThan(LIMITS.eventsBodyBytesMax);
  const { newEvents } = parseNewEvents(new TextEncoder().encode(text));
  const world = new StreamWorld();
  const posts = Array.from({ length: 3 * 2 + 1 }, () => world.hub.post(postOf(newEvents)));
  const outcomes = await Promise.allSettled(posts);
  const refused = outcomes.filter((one) => one.status === "rejected");
  expect(refused.map(({ reason }) => reason.code)).toEqual(refused.map(() => "stream_full"));
  expect(world.rows).toHaveLength((outcomes.length - refused.length) * newEvents.length);
  expect(world.rows.length).toBeGreaterThan(0);
});

test("a post of nothing fails alone", async () => {
  const world = new StreamWorld();
  const one = accepted({ tags: ["a"] })!;
  const outcomes = await Promise.allSettled(
    [one, [], one].map((events) => world.hub.post(postOf(events))),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(world.rows).toHaveLength(2);
});

/** null: it is refused. */
function accepted(content: unknown): readonly NewEvent[] | null {
  const text = JSON.stringify(content, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  try {
    return parseNewEvents(new TextEncoder().encode(text)).newEvents;
  } catch (error) {
    if (isSluiceError(error)) return null;
    throw error;
  }
}

function postOf(events: readonly NewEvent[]) {
  return { databaseId: 1, shardCount: 1, idempotencyKey: null, bodySha256: "sha", events };
}
