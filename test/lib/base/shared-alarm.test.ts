import { expect, test } from "vitest";
import { globalIdOf, splitGlobalId } from "#lib/base/global-ids.ts";
import { SharedAlarm } from "#lib/base/shared-alarm.ts";
import { ManualAlarm } from "../../helpers/memory-world.ts";

test("a shared alarm rings for whoever is first, and then asks everybody anew", () => {
  const alarm = new ManualAlarm();
  const shared = new SharedAlarm(alarm);
  const [a, b] = [shared.of("a"), shared.of("b")];
  a.setMs(500);
  b.setMs(300);
  expect(alarm.atMs).toBe(300);
  b.setMs(900);
  expect(alarm.atMs).toBe(500);
  shared.noteRung();
  b.setMs(1_000);
  expect(alarm.atMs).toBe(1_000);
});

test("a global id says which database it is of", () => {
  expect(splitGlobalId(globalIdOf(17, 42))).toEqual({ databaseId: 17, id: 42 });
});
