import { describe, expect, test } from "vitest";
import { isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { parseNewEvents } from "#lib/events/parse-events.ts";
import { eventJson } from "#lib/events/types.ts";

const CREATED = {
  tags: ["deployments", "deployments:6ce79a33", "archiving", "archiving:create"],
  value: "name: sava",
  timestamp: "2015-04-21T09:15:42Z",
};

describe("the body of a post", () => {
  test("is one event, or a list of them", () => {
    expect(parse(CREATED)).toEqual({
      isList: false,
      newEvents: [
        {
          id: null,
          type: "event",
          tags: CREATED.tags,
          valueJson: '"name: sava"',
          timeUs: Date.UTC(2015, 3, 21, 9, 15, 42) * 1_000,
        },
      ],
    });
    expect(parse([CREATED, CREATED])).toMatchObject({ isList: true, newEvents: [{}, {}] });
  });

  test("may leave out everything but the tags; a blank type counts as left out", () => {
    const bare = { id: null, type: "event", tags: ["a"], valueJson: null, timeUs: null };
    expect(parse({ tags: ["a"] }).newEvents).toEqual([bare]);
    expect(parse({ tags: ["a"], type: "" }).newEvents).toEqual([bare]);
    expect(parse({ tags: ["a", "a"], timestamp: null, id: null }).newEvents).toEqual([bare]);
  });

  test.each([
    '""',
    "0",
    "null",
    "false",
    '{"a":[1,{"b":null}]}',
    "12345678901234567890123",
    "1e400",
    "0.10000000000000000001",
    "123456789.123456789",
    "1.0",
    "-0",
    "2E+5",
    '"\\ud800"',
    '{"__proto__":{"x":1}}',
  ])("keeps the value %s as it is", (value) => {
    const [event] = parseText(`{"tags":["a"],"value":${value}}`).newEvents;
    expect(event!.valueJson).toBe(value);
    const stored = { ...event!, id: "x", seq: 1, timeUs: 0 };
    expect(eventJson(stored)).toBe(
      `{"id":"x","seq":1,"type":"event","tags":["a"],"value":${value},"timestamp":"1970-01-01T00:00:00Z"}`,
    );
  });

  test("takes times in RFC 3339 to the microsecond, and shows them so", () => {
    const [event] = parse({ tags: ["a"], timestamp: "2015-06-08T12:28:35.001002+02:00" }).newEvents;
    const stored = { ...event!, id: "x", seq: 1, timeUs: event!.timeUs! };
    expect(JSON.parse(eventJson(stored))).toMatchObject({
      timestamp: "2015-06-08T10:28:35.001002Z",
    });
  });

  test.each([
    [{ value: 1 }, "tags"],
    [{ tags: [] }, "tags"],
    [{ tags: "a" }, "tags"],
    [{ tags: ["a", ""] }, "tags[1]"],
    [{ tags: ["a", 1] }, "tags[1]"],
    [{ tags: ["\ud800"] }, "tags[0]"],
    [{ tags: ["a\0b"] }, "tags[0]"],
    [{ tags: ["a"], type: "a b" }, "type"],
    [{ tags: ["a"], type: 1 }, "type"],
    [{ tags: ["a"], id: "a b" }, "id"],
    [{ tags: ["a"], timestamp: "yesterday" }, "timestamp"],
    [{ tags: ["a"], timestamp: 1 }, "timestamp"],
    [{ tags: ["a"], timestamp: "1600-01-01T00:00:00Z" }, "timestamp"],
    [{ tags: ["a"], vlaue: 1 }, "vlaue"],
    [{ tags: ["a"], seq: 1 }, "seq"],
    ["a", "event"],
    [null, "event"],
    [[], "event"],
  ])("is refused as a whole when one event is %j, which names %s", (wrong, field) => {
    expect(refusalOf([CREATED, wrong])).toMatchObject({
      code: "event_invalid",
      detail: { item: 1, field },
    });
  });

  test("is refused when it is empty, or no JSON", () => {
    expect(refusalOf([])).toEqual({ code: "event_invalid", detail: {} });
    expect(refusal("{")).toMatchObject({ code: "json_invalid" });
    expect(refusal('{"tags":["a"],"value":tru}')).toMatchObject({ code: "json_invalid" });
  });

  test("is refused beyond its limits, and taken at them", () => {
    const { eventTagsMax, eventTagBytesMax, eventValueBytesMax, eventsPerRequestMax } = LIMITS;
    const tags = (count: number) => Array.from({ length: count }, (_, i) => `t${i}`);
    expect(parse({ tags: tags(eventTagsMax) }).newEvents[0]!.tags).toHaveLength(eventTagsMax);
    expect(refusalOf({ tags: tags(eventTagsMax + 1) })).toMatchObject({ code: "event_invalid" });
    const tag = "ä".repeat(eventTagBytesMax / 2);
    expect(parse({ tags: [tag] }).newEvents[0]!.tags).toEqual([tag]);
    expect(refusalOf({ tags: [`${tag}a`] })).toMatchObject({ code: "event_invalid" });
    const value = "x".repeat(eventValueBytesMax - 2);
    expect(parse({ tags: ["a"], value }).newEvents).toHaveLength(1);
    expect(refusalOf({ tags: ["a"], value: `${value}x` })).toMatchObject({
      code: "event_invalid",
      detail: { field: "value" },
    });
    const events = Array.from({ length: eventsPerRequestMax }, () => ({ tags: ["a"] }));
    expect(parse(events).newEvents).toHaveLength(eventsPerRequestMax);
    expect(refusalOf([...events, CREATED])).toMatchObject({ code: "batch_too_large" });
  });

  test("is refused where one of its events is a number, however it is written", () => {
    expect(refusal('[{"tags":["a"]},1.0]')).toMatchObject({ detail: { item: 1, field: "event" } });
  });

  test("may have a value as deep as the limit, and no deeper", () => {
    const limit = LIMITS.eventValueDepthMax;
    const nested = (depth: number, open: string, end: string) =>
      `{"tags":["a"],"value":${open.repeat(depth)}1.50${end.repeat(depth)}}`;
    for (const [open, end] of [["[", "]"] as const, ['{"[":', "}"] as const]) {
      const fits = nested(limit, open, end);
      const deep = nested(limit + 1, open, end);
      expect(parseText(fits).newEvents[0]!.valueJson).toContain("1.50");
      expect(parseText(`[${fits},${fits}]`).newEvents).toHaveLength(2);
      const detail = { item: 1, field: "value", expected: `nested at most ${limit} deep` };
      expect(refusal(deep)).toMatchObject({
        code: "event_invalid",
        detail: { ...detail, item: 0 },
      });
      expect(refusal(` [${fits}, ${deep}]`)).toEqual({ code: "event_invalid", detail });
    }
  });

  test("nested beyond reason does not end the program", () => {
    const deep = `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`;
    expect(refusal(`{"tags":["a"],"value":${deep}}`)).toMatchObject({ code: "event_invalid" });
  });
});

function parse(body: unknown) {
  return parseText(JSON.stringify(body));
}

function parseText(text: string) {
  return parseNewEvents(new TextEncoder().encode(text));
}

function refusalOf(body: unknown) {
  return refusal(JSON.stringify(body));
}

function refusal(text: string) {
  try {
    parseText(text);
    return null;
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    return { code: error.code, detail: error.detail };
  }
}
