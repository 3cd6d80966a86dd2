// The loop against senders that are quick, slow and stuck.

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";

import { startLoop, type Outcome } from "../../../clients/cli/load/open-loop.ts";

const ACKNOWLEDGED: Outcome = { result: "acknowledged", kind: "HTTP 204", retryAfterMs: null };

describe("startLoop", () => {
  test("sends every request that is due, each number once", async () => {
    const sent: number[] = [];
    const plan = { requestsPerSecond: 500, durationMs: 100, inFlightMax: 8 };
    const loop = startLoop(plan, async (index) => (sent.push(index), ACKNOWLEDGED), noop);
    await loop.ended;
    expect(sent).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(loop.state).toMatchObject({ dueCount: 50, begunCount: 50, inFlight: 0 });
    expect(loop.state.latencies.count).toBe(50);
  });

  test("never has more in flight than allowed, and counts the wait for a free one", async () => {
    let inFlight = 0;
    let most = 0;
    const plan = { requestsPerSecond: 1_000, durationMs: 200, inFlightMax: 2 };
    const send = async () => {
      most = Math.max(most, ++inFlight);
      await sleep(20);
      inFlight -= 1;
      return ACKNOWLEDGED;
    };
    const loop = startLoop(plan, send, noop);
    await loop.ended;
    expect(most).toBe(2);
    // 200 are due and two can be sent every 20 ms: the last ones waited most of the time.
    expect(loop.state.dueCount - loop.state.begunCount).toBeGreaterThan(100);
    expect(loop.state.latencies.percentileMs(1)).toBeGreaterThan(100);
  });

  test("leaves latencies of failures out", async () => {
    const plan = { requestsPerSecond: 100, durationMs: 50, inFlightMax: 2 };
    const refused: Outcome = { result: "refused", kind: "HTTP 429", retryAfterMs: 1_000 };
    const seen: Outcome[] = [];
    const loop = startLoop(
      plan,
      async () => refused,
      (_, outcome) => seen.push(outcome),
    );
    await loop.ended;
    expect(seen).toHaveLength(5);
    expect(loop.state.latencies.count).toBe(0);
  });

  test("begins nothing after it is stopped, and waits for what is under way", async () => {
    let ended = 0;
    const plan = { requestsPerSecond: 1_000, durationMs: 60_000, inFlightMax: 4 };
    const send = async () => {
      await sleep(30);
      ended += 1;
      return ACKNOWLEDGED;
    };
    const loop = startLoop(plan, send, noop);
    await sleep(10);
    loop.stop();
    await loop.ended;
    expect(ended).toBe(4);
    expect(loop.state.begunCount).toBe(4);
  });
});

function noop(): void {}
