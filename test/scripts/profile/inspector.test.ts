import { describe, expect, test } from "vitest";
import { busiest, type CpuProfile, withIdle } from "../../../scripts/profile/inspector.ts";

function node(id: number, functionName: string, children: number[] = []) {
  return { id, children, callFrame: { functionName, url: "index.js", lineNumber: id } };
}

/** `scan` runs for 4 ms, then its thread does something else for 95 ms, then `append` for 1 ms. */
const PROFILE: CpuProfile = {
  nodes: [node(1, "(root)", [2, 3]), node(2, "scan"), node(3, "append")],
  samples: [2, 2, 2, 2, 3, 3],
  timeDeltas: [0, 1_000, 1_000, 1_000, 96_000, 1_000],
};

describe("a profile of a Worker", () => {
  test("tells the time when it did not run as idle, and not as its last function's", () => {
    const { busyShare, functions } = busiest(withIdle(PROFILE));
    expect(functions.map(({ name, place, share }) => [name, place, share])).toEqual([
      ["scan", "index.js:3", 0.04],
      ["append", "index.js:4", 0.01],
    ]);
    expect(busyShare).toBeCloseTo(0.05, 12);
  });

  test("is as long as before, and its tree knows all its nodes", () => {
    const { nodes, samples, timeDeltas } = withIdle(PROFILE);
    const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);
    expect(sum(timeDeltas)).toBe(sum(PROFILE.timeDeltas));
    expect(samples).toHaveLength(timeDeltas.length);
    expect(nodes[0]!.children).toEqual([2, 3, 4]);
    expect(nodes.at(-1)).toMatchObject({ id: 4, callFrame: { functionName: "(idle)" } });
  });

  test("of a Worker that never ran is empty", () => {
    const none = { nodes: [node(1, "(root)")], samples: [], timeDeltas: [] };
    expect(busiest(withIdle(none))).toEqual({ busyShare: 0, functions: [] });
  });
});
