import { expect, test } from "vitest";
import { formatTailPosition, parseTailPosition } from "#lib/tail/position.ts";
import { refusalOf } from "../../helpers/refusal.ts";

const position = {
  databaseId: 12,
  shards: [
    { segmentId: "0.1.7", sequence: 3, rows: 2, atMs: 1_790_000_000_000 },
    { segmentId: "1.1.1", sequence: 0, rows: 0, atMs: 0 },
  ],
};
const TEXT = "12:0.1.7/3/2/1790000000000,1.1.1/0/0/0";

test("a position is written and read", () => {
  expect(formatTailPosition(position)).toBe(TEXT);
  expect(parseTailPosition(TEXT, 2)).toEqual(position);
});

test("what no tail has given is refused", () => {
  const texts = ["", "7", "12:", "x:0.1.7/3/2/1", "12:0.1.7/3/2/1", `${TEXT},2.1.1/0/0/0`];
  const long = `12:${"0.1.7/3/2/1,".repeat(2_000)}`;
  for (const text of [...texts, "12:0.1.7/3/2/1,1.1.1/-1/0/0", "12:0.1/3/2/1,1.1.1/0/0/0", long]) {
    const { code } = refusalOf(() => parseTailPosition(text, 2));
    expect(code, text).toBe("parameter_invalid");
  }
});
