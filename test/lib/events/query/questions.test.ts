// Questions as they come: what body and URL may say, and what is refused.

import { describe, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { aggregateAnswer, aggregateQuestion } from "#lib/events/query/aggregate.ts";
import { findKeys, nextCursor, pageQuestion } from "#lib/events/query/page.ts";
import { eventRequest } from "#lib/events/query/request.ts";
import { refusalOf } from "../../../helpers/refusal.ts";

const NOW = 1_767_225_600_000_000n;

function fromUrl(query: string, body: object = {}) {
  return eventRequest(body as Record<string, unknown>, new URLSearchParams(query));
}

function ask(body: object) {
  return pageQuestion(fromUrl("", body), "default", NOW);
}

/** The cursor behind an event, of the first page of this question. */
function cursorOf(body: object, database = "default"): string {
  const question = pageQuestion(fromUrl("", { ...body, per_page: 1 }), database, NOW);
  const key = ["1000000", "5"] as const;
  return nextCursor([key, key], question, 9)!;
}

describe("a question about events", () => {
  test("says the same in the URL as in the body", () => {
    const query =
      "tag=a&tag=b:c&type=t&gte=now-1h&lt=2026-01-01&order=asc&per_page=7&page=2&position=4";
    const body = {
      tags: ["a", "b:c"],
      type: "t",
      timestamp: { gte: "now-1h", lt: "2026-01-01" },
      order: "asc",
      per_page: 7,
      page: 2,
      position: 4,
    };
    const question = pageQuestion(fromUrl(query), "default", NOW);
    expect(question).toEqual(ask(body));
    expect(question).toMatchObject({ rowsMax: 7, offset: 7, position: 4, order: "asc" });
  });

  test("has 30 events on a page, the newest first, where it does not say", () => {
    expect(ask({})).toMatchObject({ rowsMax: 30, offset: 0, order: "desc", position: null });
  });

  test("may be partly in the URL and partly in the body", () => {
    expect(fromUrl("per_page=5&database=d&p=token", { tags: ["a"] })).toEqual({
      tags: ["a"],
      per_page: "5",
    });
  });

  test("goes on with its cursor, with the now of its first page", () => {
    const filter = { tags: ["a"], timestamp: { lte: "now" } };
    const cursor = cursorOf(filter);
    const question = pageQuestion({ ...filter, cursor }, "default", NOW + 5_000_000n);
    expect(question).toMatchObject({
      position: 9,
      nowUs: NOW,
      after: { timeUs: 1_000_000n, seq: 5 },
    });
    expect(question.filter.toUs).toBe(NOW);
  });

  test("is in its cursor, which may come alone, or with parts of it, or with a smaller page", () => {
    const body = { tags: ["a", "ä"], type: "t", timestamp: { gte: "now-1h" }, order: "asc" };
    const cursor = cursorOf(body);
    const whole = pageQuestion({ ...body, per_page: 1, cursor }, "default", NOW);
    expect(pageQuestion({ cursor }, "default", NOW + 1n)).toEqual(whole);
    expect(pageQuestion({ cursor, type: "t" }, "default", NOW)).toEqual(whole);
    expect(pageQuestion({ cursor, per_page: 5 }, "default", NOW).rowsMax).toBe(5);
  });

  test("has to be sent again with its cursor where it is too long for a header", () => {
    const body = { tags: Array.from({ length: 8 }, (_, i) => `${i}`.padEnd(250, "x")) };
    const cursor = cursorOf(body);
    expect(cursor.length).toBeLessThan(300);
    expect(pageQuestion({ ...body, cursor }, "default", NOW).filter.tags).toEqual(body.tags);
    expect(refusalOf(() => pageQuestion({ cursor }, "default", NOW))).toMatchObject({
      detail: { field: "cursor" },
    });
  });

  test.each([
    ["no further when these are enough", 8, ["1970-01-01T00:00:00.500Z"]],
    ["of all when they are too few", 7, ["1970-01-01T00:00:00.500Z", undefined]],
  ])("is asked near the page before, and %s", async (_, foundCount, farTimes) => {
    const first = pageQuestion({ per_page: 7 }, "default", NOW);
    // Eight events, 15.624 ms from one to the next, the seventh at the first second.
    const keys = Array.from({ length: 8 }, (_, at) => {
      return [`${1_000_000 + (6 - at) * 15_624}`, `${9 - at}`] as const;
    });
    const cursor = nextCursor(keys, first, 9);
    const next = pageQuestion({ per_page: 7, cursor }, "default", NOW);
    const asked: unknown[] = [];
    await findKeys(next, 9, async ({ params }) => {
      asked.push(params["farTime"]);
      return Array.from({ length: foundCount }, () => ["1", "1"]);
    });
    expect(asked).toEqual(farTimes);
  });

  test("is asked once of all when what is near is all that it is about", async () => {
    const body = { per_page: 1, timestamp: { gte: "1970-01-01T00:00:01Z" } };
    const question = pageQuestion({ ...body, cursor: cursorOf(body) }, "default", NOW);
    const asked: string[] = [];
    await findKeys(question, 9, async ({ text }) => (asked.push(text), []));
    expect(asked).toEqual([expect.not.stringContaining("$farTime")]);
  });

  test.each([
    ["other tags", { tags: ["b"] }, "default"],
    ["another type", { tags: ["a"], type: "t" }, "default"],
    ["another time", { tags: ["a"], timestamp: "now" }, "default"],
    ["another order", { tags: ["a"], order: "asc" }, "default"],
    ["another database", { tags: ["a"] }, "other"],
  ])("is refused with a cursor and %s", (_, body, database) => {
    const cursor = cursorOf({ tags: ["a"] });
    expect(refusalOf(() => pageQuestion({ ...body, cursor }, database, NOW))).toMatchObject({
      code: "parameter_invalid",
      detail: { field: "cursor" },
    });
  });

  test.each([
    [{ tag: ["a"] }, "tag"],
    [{ tags: "a" }, "tags"],
    [{ tags: ["a", ""] }, "tags[1]"],
    [{ tags: ["a", 1] }, "tags[1]"],
    [{ tags: ["a\0b"] }, "tags[0]"],
    [{ tags: Array.from({ length: LIMITS.eventTagsMax + 1 }, (_, i) => `t${i}`) }, "tags"],
    [{ type: "a b" }, "type"],
    [{ type: 1 }, "type"],
    [{ timestamp: { lte: "nov" } }, "timestamp.lte"],
    [{ timestamp: { format: "yyyy" } }, "timestamp.format"],
    [{ timestamp: [1] }, "timestamp"],
    [{ timestamp: null }, "timestamp"],
    [{ order: "up" }, "order"],
    [{ per_page: 0 }, "per_page"],
    [{ per_page: LIMITS.eventPageRowsMax + 1 }, "per_page"],
    [{ page: 1.5 }, "page"],
    [{ page: 335, per_page: 30 }, "page"],
    [{ position: -1 }, "position"],
    [{ cursor: "!" }, "cursor"],
    [{ cursor: 7 }, "cursor"],
    [{ cursor: Buffer.from('[1,2,"3","4","-5","z",{}]').toString("base64url") }, "cursor"],
    [{ cursor: Buffer.from('[1,2,"3","4","5","z",null]').toString("base64url") }, "cursor"],
    [{ cursor: Buffer.from('[1,2,"x","y","1","z",{}]').toString("base64url") }, "cursor"],
    [{ page: 2, cursor: cursorOf({}) }, "cursor"],
  ])("is refused as %j, naming the field", (body, field) => {
    const refused = refusalOf(() => ask(body));
    expect(refused).toMatchObject({ code: "parameter_invalid", detail: { field } });
  });

  test("may ask for the last page within the depth, and the largest page", () => {
    expect(ask({ page: 334, per_page: 30 }).offset).toBe(9_990);
    expect(ask({ per_page: LIMITS.eventPageRowsMax }).rowsMax).toBe(LIMITS.eventPageRowsMax);
    expect(
      ask({ tags: Array.from({ length: LIMITS.eventTagsMax }, (_, i) => `t${i}`) }),
    ).toBeTruthy();
  });

  test.each([
    ["type=a&type=b", {}, "type"],
    ["lte=now&timestamp=now", {}, "timestamp"],
    ["tag=a", { tags: ["b"] }, "tags"],
    ["tags=a", {}, "tags"],
    ["colour=red", {}, "colour"],
  ])("is refused as ?%s beside %j", (query, body, field) => {
    expect(refusalOf(() => fromUrl(query, body))).toMatchObject({ detail: { field } });
  });
});

describe("a range of time", () => {
  const S = 1_000_000n;
  const day = 1_429_574_400n * S; // 2015-04-21
  const ofTime = (timestamp: unknown) => {
    const { fromUs, toUs } = ask({ timestamp }).filter;
    return [fromUs, toUs].map((us) => (us === null ? null : us - day));
  };

  test.each([
    [{ gte: "2015-04-21T00:00:01Z", lte: "2015-04-21T00:00:02Z" }, S, 2n * S],
    [{ gt: "2015-04-21T00:00:01Z", lt: "2015-04-21T00:00:02Z" }, S + 1n, 2n * S - 1n],
    [{ gte: "2015-04-21" }, 0n, null],
    [{ gt: "2015-04-21" }, 86_400n * S, null],
    [{ lte: "2015-04-21" }, null, 86_400n * S - 1n],
    [{ lt: "2015-04-21" }, null, -1n],
    [{ gte: "2015-04-21", gt: "2015-04-21T00:00:01Z" }, S + 1n, null],
    [{ lte: "2015-04-21", lt: "2015-04-21T00:00:01Z" }, null, S - 1n],
    ["2015-04-21", 0n, 86_400n * S - 1n],
    ["2015-04-21T00:00:01Z", S, S],
    [{}, null, null],
  ])("as %j has its ends, both inclusive", (timestamp, from, to) => {
    expect(ofTime(timestamp)).toEqual([from, to]);
  });
});

describe("an aggregation", () => {
  const sum = (aggregator: unknown, more: object = {}) =>
    aggregateQuestion(fromUrl("", { aggregator, ...more }), NOW);

  test("says the same in the URL as in the body", () => {
    const inUrl = fromUrl("aggregator=percentiles&percentiles=50,99.9&field=a.b&interval=5m");
    const aggregator = {
      type: "percentiles",
      percentiles: [50, 99.9],
      field: "a.b",
      interval: "5m",
    };
    expect(aggregateQuestion(inUrl, NOW)).toEqual(sum(aggregator));
  });

  test.each([
    ["a.b", "/a/b"],
    ["a/b~c", "/a~1b~0c"],
    ["/a.b/c", "/a.b/c"],
  ])("reads the field %s as the pointer %s", (field, pointer) => {
    expect(sum({ type: "max", field }).pointer).toBe(pointer);
  });

  test("may be its type alone", () => {
    expect(sum("average")).toEqual(sum({ type: "average" }));
  });

  test.each([
    ["avg", "aggregator.type"],
    [5, "aggregator"],
    [["average"], "aggregator"],
    [{}, "aggregator.type"],
    [{ type: "median" }, "aggregator.type"],
    [{ type: "toString" }, "aggregator.type"],
    [{ type: "max", colour: 1 }, "aggregator.colour"],
    [{ type: "max", field: "" }, "aggregator.field"],
    [{ type: "max", field: "a..b" }, "aggregator.field"],
    [{ type: "max", field: "x".repeat(LIMITS.eventFieldCharsMax + 1) }, "aggregator.field"],
    [{ type: "max", percentiles: [50] }, "aggregator.percentiles"],
    [{ type: "percentiles", percentiles: [101] }, "aggregator.percentiles"],
    [{ type: "percentiles", percentiles: [] }, "aggregator.percentiles"],
    [{ type: "max", interval: "often" }, "aggregator.interval"],
    [{ type: "max", interval: 5 }, "aggregator.interval"],
    [{ type: "max", group_by: "colour" }, "aggregator.group_by"],
    [{ type: "max", group_by: "tag:" }, "aggregator.group_by"],
  ])("is refused as %j, naming the field", (aggregator, field) => {
    expect(refusalOf(() => sum(aggregator))).toMatchObject({ detail: { field } });
  });

  test("has so many rows, and says when there are more", () => {
    const question = sum({ type: "count", group_by: "type" });
    const rows = Array.from({ length: LIMITS.eventGroupsMax + 1 }, (_, i) => [`t${i}`, "1"]);
    expect(aggregateAnswer(rows.slice(1), question)).toMatchObject({ truncated: false });
    const answer = aggregateAnswer(rows, question);
    expect(answer).toMatchObject({ truncated: true, rows: { length: LIMITS.eventGroupsMax } });
  });

  test("has no pages", () => {
    const refused = refusalOf(() => sum({ type: "count" }, { per_page: 5 }));
    expect(refused).toMatchObject({ detail: { field: "per_page" } });
  });
});
