import { gzipSync } from "node:zlib";
import { encode } from "@msgpack/msgpack";
import { beforeEach, describe, expect, test } from "vitest";
import { isRefusal } from "#lib/base/errors.ts";
import type { SealedSegment } from "#lib/buffer/types.ts";
import { CatalogCore } from "#lib/catalog/catalog.ts";
import { type SegmentPorts, writeSegment } from "#lib/flush/write-segment.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { ManualClock, MemoryLake, MemorySqlStore } from "../../helpers/memory-world.ts";

let lake: MemoryLake;
let catalog: CatalogCore;
let ports: SegmentPorts;

beforeEach(() => {
  const clock = new ManualClock();
  lake = new MemoryLake(clock);
  catalog = new CatalogCore({ store: new MemorySqlStore(), clock, lake });
  ports = {
    schemas: async (tableIds) => catalog.schemas(tableIds),
    commit: async (request) => {
      const result = catalog.commit(1, request);
      if (isRefusal(result)) throw new Error(result.message);
      return result;
    },
    lake,
  };
});

type Columns = Record<string, unknown[]>;

function segmentOf(...batches: [measurement: string, columns: Columns][]): SealedSegment {
  const bodies = batches.map(([m, columns]) => gzipSync(encode({ m, columns })));
  const headers = batches.map(([measurement, columns], i) => {
    const scan = scanBatch(encode({ m: measurement, columns }));
    const schema = catalog.extendSchema(1, measurement, scan.columns);
    if (isRefusal(schema)) throw new Error(schema.message);
    return {
      segmentId: "0.1.1",
      sequence: i + 1,
      requestId: "r",
      traceparent: null,
      tableId: schema.tableId,
      measurement,
      rowCount: scan.rowCount,
      timeMinMs: scan.time?.timeMinMs ?? 0,
      timeMaxMs: scan.time?.timeMaxMs ?? 0,
      receivedUs: 0,
      byteLength: bodies[i]!.byteLength,
    };
  });
  return { segmentId: "0.1.1", run: { headers, bodies } };
}

const DAY = 86_400_000;
const NOON = 1_767_268_800_000;

describe("writeSegment", () => {
  test("makes one file per measurement and day, and commits them together", async () => {
    const segment = segmentOf(
      ["cpu", { time: [NOON, NOON + DAY], v: [1, 2] }],
      ["mem", { time: [NOON], v: [3] }],
      ["cpu", { time: [NOON + 1], v: [4] }],
    );
    const { files, isRepeat } = await writeSegment(1, segment, ports);
    expect(isRepeat).toBe(false);
    expect(files.map(({ tableId, day, rowCount }) => [tableId, day, rowCount])).toEqual([
      [1, "2026-01-01", 2],
      [1, "2026-01-02", 1],
      [2, "2026-01-01", 1],
    ]);
    expect(files[0]).toMatchObject({ timeMinMs: NOON, timeMaxMs: NOON + 1 });
    expect([...lake.objects.keys()]).toEqual(files.map(({ key }) => key));
  });

  test("twice, also at the same time, makes the same objects and one commit", async () => {
    const segment = segmentOf(["cpu", { time: [NOON, NOON + DAY], v: ["a", null] }]);
    const both = await Promise.all([
      writeSegment(1, segment, ports),
      writeSegment(1, segment, ports),
    ]);
    expect(both.map(({ isRepeat }) => isRepeat).toSorted()).toEqual([false, true]);
    expect(both[0]!.files).toEqual(both[1]!.files);
    expect(lake.objects.size).toBe(2);
  });

  test("takes a put whose answer was lost for what it is", async () => {
    lake.nextPut = "fail-after";
    const { files } = await writeSegment(1, segmentOf(["cpu", { time: [NOON] }]), ports);
    expect([...lake.objects.keys()]).toEqual([files[0]!.key]);
  });

  test("commits nothing when an object could not be stored", async () => {
    const segment = segmentOf(["cpu", { time: [NOON] }]);
    lake.nextPut = "fail-before";
    await expect(writeSegment(1, segment, ports)).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(catalog.snapshot({ tables: [], tailSegmentIds: ["0.1.1"] }).committedSegmentIds).toEqual(
      [],
    );
    await writeSegment(1, segment, ports);
  });

  test("never takes another content under its key for its own", async () => {
    const segment = segmentOf(["cpu", { time: [NOON] }]);
    const { files } = await writeSegment(1, segment, ports);
    lake.objects.set(files[0]!.key, { bytes: new Uint8Array(5), sha256: "other", uploadedMs: 0 });
    await expect(writeSegment(1, segment, ports)).rejects.toMatchObject({
      code: "file_checksum_mismatch",
    });
  });

  test("calls bytes that do not decode corrupt, which puts the segment aside in the end", async () => {
    const segment = segmentOf(["cpu", { time: [NOON] }]);
    const bodies = [gzipSync(new Uint8Array([1])), segment.run.bodies[0]!.subarray(0, -1)];
    for (const body of bodies) {
      const damaged = { ...segment, run: { ...segment.run, bodies: [body] } };
      const written = writeSegment(1, damaged, ports);
      await expect(written).rejects.toMatchObject({ code: "segment_corrupt" });
    }
  });

  test("rounds times before 1970 outwards to milliseconds", async () => {
    const columns = { time: [-1.0005, -1.0005 - 1e-6] };
    const { files } = await writeSegment(1, segmentOf(["cpu", columns]), ports);
    expect(files[0]).toMatchObject({ timeMinMs: -1001, timeMaxMs: -1000 });
  });
});
