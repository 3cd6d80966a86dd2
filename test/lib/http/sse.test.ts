import { describe, expect, test } from "vitest";
import { lastEventIdOf, sseMessage, sseRetry } from "#lib/http/sse.ts";

describe("a message", () => {
  test("has its fields line by line, and ends with an empty line", () => {
    expect(sseMessage({ id: "7", event: "gap", data: "{}" })).toBe(
      "id: 7\nevent: gap\ndata: {}\n\n",
    );
    expect(sseMessage({ data: "x" })).toBe("data: x\n\n");
    expect(sseMessage({ id: "7" })).toBe("id: 7\n\n");
  });

  test("keeps data with line breaks of every kind together", () => {
    expect(sseMessage({ data: "a\nb\r\nc\rd" })).toBe("data: a\ndata: b\ndata: c\ndata: d\n\n");
  });

  test("may say how long to wait", () => {
    expect(sseRetry(500)).toBe("retry: 500\n\n");
  });
});

test("the last id is in the header, or in the parameter, or nowhere", () => {
  const idOf = (query: string, headers: Record<string, string> = {}) =>
    lastEventIdOf(new Request(`http://localhost/tail${query}`, { headers }));
  expect(idOf("?last_event_id=4", { "last-event-id": "5" })).toBe("5");
  expect(idOf("?last_event_id=4")).toBe("4");
  expect(idOf("?last_event_id=", { "last-event-id": "" })).toBe(null);
});
