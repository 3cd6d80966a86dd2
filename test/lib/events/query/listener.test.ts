// What a listener of the event stream may say it wants.

import { describe, expect, test } from "vitest";
import { listenerFilter } from "#lib/events/query/listener.ts";
import { refusalOf } from "../../../helpers/refusal.ts";

function filter(query: string, body: Record<string, unknown> = {}) {
  return listenerFilter(body, new URLSearchParams(query));
}

describe("a listener", () => {
  test("names tags and a type, in the URL or in a body, tags in both", () => {
    expect(filter("")).toEqual({ tags: [], type: null });
    expect(filter("", { tags: ["a", "b:c"], type: "t" })).toEqual({
      tags: ["a", "b:c"],
      type: "t",
    });
    expect(filter("tag=a&tag=b:c&type=t")).toEqual({ tags: ["a", "b:c"], type: "t" });
    expect(filter("tag=b&from=now&database=d&p=token", { tags: ["a", "b"], type: "" })).toEqual({
      tags: ["a", "b"],
      type: null,
    });
  });

  test.each([
    ["tags=a", {}, "tags"],
    ["lte=now", {}, "lte"],
    ["tag=", {}, "tags[0]"],
    ["type=a%20b", {}, "type"],
    ["", { tag: ["a"] }, "tag"],
    ["", { tags: "a" }, "tags"],
    ["", { tags: ["a", 1] }, "tags[1]"],
    ["", { tags: ["a"], timestamp: { lte: "now" } }, "timestamp"],
  ])("is refused with ?%s and %j: it would hear what it does not want", (query, body, field) => {
    const refused = refusalOf(() => filter(query, body));
    expect(refused).toMatchObject({ code: "parameter_invalid", detail: { field } });
  });
});
