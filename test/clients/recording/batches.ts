// What becomes of records on their way, batching and sampling: the same on both back-ends.

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { TelemetryManager } from "../../../clients/recording/index.ts";
import { countOf } from "./asking.ts";
import type { Stage } from "./stage.ts";

export function batches(stage: Stage): void {
  describe(`batches, ${stage.name}`, () => {
    test("are written by number and by age, without a flush", async () => {
      const manager = new TelemetryManager(
        stage.fresh({ batchRowsMax: 10, batchAgeMaxMs: 60_000 }),
      );
      for (let i = 0; i < 10; i++) manager.recordEvent({ eventType: "by_number" });
      await vi.waitFor(() => expect(manager.stats().written).toBe(10), 20_000);
      await manager.shutdown();

      const hasty = new TelemetryManager(stage.fresh({ batchAgeMaxMs: 20 }));
      hasty.recordEvent({ eventType: "by_age" });
      await vi.waitFor(() => expect(hasty.stats().written).toBe(1), 20_000);
      expect(await hasty.queryEvents()).toHaveLength(1);
      await hasty.shutdown();
    });

    test("keep the order of recording, whatever is flushed in between", async () => {
      const manager = new TelemetryManager(stage.fresh({ batchRowsMax: 7 }));
      const flushes: Promise<void>[] = [];
      for (let i = 0; i < 100; i++) {
        manager.recordEvent({ eventType: "custom", attributes: { i } });
        if (i % 9 === 0) flushes.push(manager.flush());
        if (i % 30 === 0) await sleep(1);
      }
      await Promise.all([...flushes, manager.flush()]);
      const events = (await manager.queryEvents()).toReversed();
      expect(events.map((event) => event.attributes["i"])).toEqual([...Array(100).keys()]);
      await manager.shutdown();
    });

    test("after a shutdown nothing is taken, and that is counted", async () => {
      const told: Error[] = [];
      const config = stage.fresh({ onError: (error) => told.push(error) });
      const manager = new TelemetryManager(config);
      manager.recordEvent({ eventType: "before" });
      await manager.shutdown();
      manager.recordEvent({ eventType: "after" });
      expect(manager.stats()).toEqual({ recorded: 1, written: 1, sampledOut: 0, dropped: 1 });
      expect(told.map((error) => error.message)).toEqual(["recorded after shutdown"]);
      const next = new TelemetryManager(config);
      expect((await next.queryEvents()).map((event) => event.type)).toEqual(["before"]);
      await next.shutdown();
    });
  });

  test(`a trace is sampled as a whole, ${stage.name}`, async () => {
    const manager = new TelemetryManager(stage.fresh({ samplingRate: 0.5 }));
    const ids = Array.from({ length: 100 }, (_, i) => `trace-${i}`);
    for (const traceId of ids) {
      manager.recordEvent({ traceId, eventType: "custom" });
      manager.startTrace({ name: "run", traceId }).end();
      manager.recordMetric({ name: "runs", value: 1, traceId });
    }
    manager.recordEvent({ eventType: "global" });
    await manager.flush();
    const kept = ids.filter((id) => manager.isSampled(id)).toReversed();
    expect(kept.length).toBeGreaterThan(30);
    expect(kept.length).toBeLessThan(70);
    const events = await manager.queryEvents({ eventType: "custom" });
    expect(events.map((event) => event.traceId)).toEqual(kept);
    expect((await manager.queryTraces()).map((trace) => trace.traceId)).toEqual(kept);
    expect(await countOf(manager, "runs")).toBe(100);
    expect(await manager.queryEvents({ eventType: "global" })).toHaveLength(1);
    expect(manager.stats().sampledOut).toBe(2 * (100 - kept.length));
    await manager.shutdown();
  });
}
