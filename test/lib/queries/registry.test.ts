import { beforeEach, describe, expect, test } from "vitest";
import { isRefusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { QueryRegistryCore } from "#lib/queries/registry.ts";
import type { QueryStatus } from "#lib/queries/types.ts";
import { ManualClock, MemorySqlStore } from "../../helpers/memory-world.ts";

const ADMIN = { tokenId: null, isAdmin: true };
const SEVEN = { tokenId: 7, isAdmin: false };

let clock: ManualClock;
let store: MemorySqlStore;
let registry: QueryRegistryCore;
beforeEach(() => {
  clock = new ManualClock(1_000_000);
  store = new MemorySqlStore();
  registry = new QueryRegistryCore({ store, clock });
});

function status(queryId: string, more: Partial<QueryStatus> = {}): QueryStatus {
  const rest = { database: "default", sql: "SELECT 1", stage: "running", rowCount: 0 } as const;
  return { queryId, tokenId: 7, startedMs: clock.nowMs(), ...rest, ...more };
}

describe("queries under way", () => {
  test("are listed, the oldest first, to admins and to their own token", () => {
    registry.report(status("a"));
    clock.advance(10);
    registry.report(status("b", { tokenId: 8 }));
    registry.report(status("c", { tokenId: null }));
    expect(registry.listActive(ADMIN).map(({ queryId }) => queryId)).toEqual(["a", "b", "c"]);
    expect(registry.listActive(SEVEN).map(({ queryId }) => queryId)).toEqual(["a"]);
    expect(isRefusal(registry.find("b", SEVEN))).toBe(true);
    expect(registry.find("b", ADMIN)).toMatchObject({ query: { tokenId: 8 } });
  });

  test("learn of their end with their next report, and not by somebody else's token", () => {
    registry.report(status("a"));
    expect(registry.cancel("a", { tokenId: 8, isAdmin: false })).toMatchObject({
      refused: "query_unknown",
    });
    expect(registry.report(status("a"))).toEqual({ isCancelled: false });
    expect(registry.cancel("a", SEVEN)).toBeNull();
    expect(registry.report(status("a"))).toEqual({ isCancelled: true });
    registry.end(status("a"), "query_cancelled");
    expect(registry.listActive(ADMIN)).toEqual([]);
    expect(registry.cancel("a", ADMIN)).toMatchObject({ refused: "query_unknown" });
  });

  test("that are not heard of any more are lost", () => {
    registry.report(status("a"));
    clock.advance(LIMITS.queryLostAfterMs);
    expect(registry.listActive(ADMIN)).toHaveLength(1);
    clock.advance(1);
    expect(registry.listActive(ADMIN)).toEqual([]);
    expect(registry.listEnded(ADMIN)).toMatchObject([{ queryId: "a", outcome: "lost" }]);
  });

  test("are listed again after the registry was away", () => {
    registry.report(status("a"));
    registry = new QueryRegistryCore({ store, clock });
    expect(registry.listActive(ADMIN)).toEqual([]);
    registry.report(status("a"));
    expect(registry.listActive(ADMIN)).toHaveLength(1);
  });
});

test("ended queries are kept, the newest first, up to a number", () => {
  const count = LIMITS.queriesKept + 3;
  for (let at = 0; at < count; at++) registry.end(status(`q${at}`), "done");
  const ended = registry.listEnded(SEVEN);
  expect(ended).toHaveLength(LIMITS.queriesKept);
  expect([ended[0]!.queryId, ended.at(-1)!.queryId]).toEqual([`q${count - 1}`, "q3"]);
  expect(registry.listEnded({ tokenId: 8, isAdmin: false })).toEqual([]);
});
