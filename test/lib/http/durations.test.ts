import { describe, expect, test } from "vitest";
import { durationMs } from "#lib/http/durations.ts";

describe("a duration", () => {
  test.each([
    ["90s", 90_000],
    ["24h", 86_400_000],
    ["2w", 1_209_600_000],
    ["365000d", 31_536_000_000_000],
  ])("%s is %d ms", (text, ms) => {
    expect(durationMs("expires_in", text)).toBe(ms);
  });

  test.each(["", "0s", "-1h", "1.5h", "7", "d", "1y", "365001d", "999999999w"])(
    "%j is refused, and the field is named",
    (text) => {
      expect(() => durationMs("expires_in", text)).toThrow(/"expires_in" must be a duration/);
    },
  );
});
