// A live tail of two shards, by chance: appends, logs that go, and a client that reads late and
// comes again.

import fc from "fast-check";
import { expect, test } from "vitest";
import { propertyRuns, PROPERTY_TIMEOUT_MS } from "../helpers/property.ts";
import { SHARDS, type TailReader, TailWorld } from "../helpers/tail-world.ts";

type Step =
  | { readonly kind: "append"; readonly shard: number; readonly rowCount: number }
  | { readonly kind: "letGo"; readonly shard: number }
  | { readonly kind: "read"; readonly count: number }
  | { readonly kind: "resume" };

const shards = fc.nat({ max: SHARDS - 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      shard: shards,
      rowCount: fc.integer({ min: 1, max: 6 }),
    }),
  },
  fc.record({ kind: fc.constant("letGo" as const), shard: shards }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      count: fc.integer({ min: 1, max: 8 }),
    }),
  },
  fc.record({ kind: fc.constant("resume" as const) }),
);

/** Rows are numbered; the remainder of a number names its shard. */
class Client {
  readonly #world = new TailWorld();
  readonly shown: number[][] = Array.from({ length: SHARDS }, () => []);
  gapCount = 0;
  lossCount = 0;
  rowCount = 0;
  #reader: TailReader | null = null;

  async open(): Promise<void> {
    this.#reader = await this.#world.open({ lastEventId: this.#reader?.id ?? null });
    await this.#reader.beat();
  }

  async take(one: Step): Promise<void> {
    switch (one.kind) {
      case "append":
        return await this.append(one.shard, one.rowCount);
      case "letGo":
        this.lossCount += 1;
        return await this.#world.letGo(one.shard);
      case "resume":
        return await this.open();
      case "read": {
        // What is lost cannot be waited for, so that from the first loss on all is read at the end.
        const left = this.rowCount - this.shown.flat().length;
        if (this.lossCount === 0) await this.read(Math.min(one.count, left));
      }
    }
  }

  async append(shard: number, rowCount: number): Promise<void> {
    const numbers = Array.from({ length: rowCount }, () => SHARDS * this.rowCount++ + shard);
    await this.#world.appendNumbers(shard, numbers);
  }

  async read(count: number): Promise<void> {
    for (const one of await this.#reader!.take(count)) {
      if (one === "gap") this.gapCount += 1;
      else this.shown[Number(one) % SHARDS]!.push(Number(one));
    }
  }

  /** Until the last row of each shard, which are written for that. */
  async readAll(): Promise<void> {
    const before = SHARDS * this.rowCount;
    for (let shard = 0; shard < SHARDS; shard++) await this.append(shard, 1);
    while (this.shown.some((numbers) => (numbers.at(-1) ?? -1) < before)) await this.read(1);
  }
}

test(
  "each row is shown once and in order per shard, or a gap says that some are not",
  { timeout: PROPERTY_TIMEOUT_MS },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const client = new Client();
        await client.open();
        for (const one of steps) await client.take(one);
        await client.readAll();
        for (const numbers of client.shown) {
          expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
        }
        const isWhole = client.shown.flat().length === client.rowCount;
        expect(isWhole || client.gapCount > 0).toBe(true);
        expect(client.gapCount === 0 || client.lossCount > 0).toBe(true);
      }),
      propertyRuns(100),
    );
  },
);
