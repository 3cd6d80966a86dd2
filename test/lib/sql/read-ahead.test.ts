// Fetching ahead: the right bytes whatever is asked, few requests at once, within the window.

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { ANY_ROW } from "#lib/catalog/row-predicate.ts";
import type { SnapshotFile } from "#lib/catalog/types.ts";
import { ENGINE_PAGE_BYTES } from "#lib/sql/engine.ts";
import { ReadAhead, type ReadPorts } from "#lib/sql/read-ahead.ts";
import { propertyRuns } from "../../helpers/property.ts";
import { parquetOf } from "../../helpers/query-world.ts";

// A busy machine may need long to start the engine.
vi.setConfig({ testTimeout: 60_000 });

const ROWS = 120_000;
const numbers = Array.from({ length: ROWS }, (_, i) => i);
const content = parquetOf(
  { time: "timestamp", noise: "float64", more: "float64" },
  {
    time: numbers.map((i) => Date.UTC(2026, 0, 1) + i),
    noise: numbers.map(Math.sin),
    more: numbers.map(Math.cos),
  },
);
const footerByteLength =
  new DataView(content.slice().buffer).getUint32(content.length - 8, true) + 8;
const types = new Map([["time", "timestamp" as const]]);
const sightOf = (ms: number | null) => ({ where: ANY_ROW, time: { minMs: ms, maxMs: ms } });
const ALL = { columnNames: null, sights: [sightOf(null)], types };
const NOTHING = { columnNames: new Set<string>(), sights: [sightOf(0)], types };

function fileOf(key: string): SnapshotFile {
  return {
    key,
    rowCount: ROWS,
    byteLength: content.byteLength,
    footerByteLength,
    timeMinMs: 0,
    timeMaxMs: 0,
    sha256: "",
    columns: [],
  };
}

function portsOf(lake: CountingLake): ReadPorts {
  return { fetchRange: lake.fetch, rangeCache: { find: async () => null, keep: () => {} } };
}

/** A lake whose every object is `content`, and what was asked of it. */
class CountingLake {
  requests: { key: string; offset: number; byteLength: number }[] = [];
  inFlight = 0;
  inFlightMax = 0;
  failures = 0;

  fetch = async (key: string, offset: number, byteLength: number): Promise<Uint8Array> => {
    this.requests.push({ key, offset, byteLength });
    this.inFlightMax = Math.max(this.inFlightMax, ++this.inFlight);
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.inFlight--;
    if (this.failures-- > 0) throw new Error("no answer");
    return content.subarray(offset, offset + byteLength);
  };
}

const PAGES = Math.ceil(content.byteLength / ENGINE_PAGE_BYTES);

async function readPage(source: ReturnType<ReadAhead["add"]>, page: number): Promise<boolean> {
  const start = page * ENGINE_PAGE_BYTES;
  const byteLength = Math.min(ENGINE_PAGE_BYTES, content.byteLength - start);
  const bytes = await source.read(start, byteLength);
  return Buffer.compare(bytes, content.subarray(start, start + byteLength)) === 0;
}

describe("reading ahead", () => {
  test("gives the right bytes in any order, planned or not", async () => {
    const order = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: PAGES - 1 })), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(order, fc.boolean(), async (reads, isPlanned) => {
        const ahead = new ReadAhead(portsOf(new CountingLake()));
        const sources = [0, 1, 2, 3].map((id) =>
          ahead.add(fileOf(`k${id}`), isPlanned ? ALL : NOTHING),
        );
        ahead.start();
        for (const [file, page] of reads) expect(await readPage(sources[file]!, page)).toBe(true);
        ahead.close();
      }),
      propertyRuns(30),
    );
  });

  test("asks for nothing twice when the file is read through, and for few things at once", async () => {
    const lake = new CountingLake();
    const ahead = new ReadAhead(portsOf(lake));
    const sources = Array.from({ length: 12 }, (_, id) => ahead.add(fileOf(`k${id}`), ALL));
    ahead.start();
    for (const source of sources) {
      for (let page = 0; page < PAGES; page++) expect(await readPage(source, page)).toBe(true);
    }
    const total = lake.requests.reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(total).toBeLessThanOrEqual(12 * (content.byteLength + ENGINE_PAGE_BYTES));
    expect(ahead.cost).toEqual({
      filesRead: 12,
      rowGroupsConsidered: 24,
      rowGroupsPruned: 0,
      bytesRead: total,
      bytesFromCache: 0,
      rangesRead: lake.requests.length,
      rangesFromCache: 0,
    });
    // One more than planned: the read that waits goes first.
    expect(lake.inFlightMax).toBeLessThanOrEqual(LIMITS.connectionsMax + 1);
  });

  test("stops at the window until something was read", async () => {
    const lake = new CountingLake();
    const ahead = new ReadAhead(portsOf(lake));
    const sources = Array.from({ length: 40 }, (_, id) => ahead.add(fileOf(`k${id}`), ALL));
    ahead.start();
    const settle = () => new Promise((resolve) => setTimeout(resolve, 100));
    await settle();
    expect(40 * content.byteLength).toBeGreaterThan(LIMITS.readAheadBytesMax);
    expect(ahead.cost.bytesRead).toBeLessThanOrEqual(LIMITS.readAheadBytesMax);
    const before = ahead.cost.bytesRead;
    for (let page = 0; page < PAGES; page++) await readPage(sources[0]!, page);
    await settle();
    expect(ahead.cost.bytesRead).toBeGreaterThan(before);
    // The last file is far behind the window, and read all the same.
    expect(await readPage(sources[39]!, 3)).toBe(true);
  });

  test("reads on in ever larger steps where nothing was planned", async () => {
    const lake = new CountingLake();
    const ahead = new ReadAhead(portsOf(lake));
    const source = ahead.add(fileOf("k"), NOTHING);
    for (let page = 0; page < PAGES; page++) expect(await readPage(source, page)).toBe(true);
    expect(lake.requests.length).toBeLessThan(PAGES / 5);
    expect(lake.requests[0]!.byteLength).toBe(ENGINE_PAGE_BYTES);
  });

  test("tells of a failure only to who reads, and asks again", async () => {
    const lake = new CountingLake();
    lake.failures = 1;
    const ahead = new ReadAhead(portsOf(lake));
    const source = ahead.add(fileOf("k"), ALL);
    ahead.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await readPage(source, 0)).toBe(true);
    lake.failures = 1;
    const other = new ReadAhead(portsOf(lake)).add(fileOf("k"), ALL);
    await expect(readPage(other, 0)).rejects.toThrow("no answer");
    expect(await readPage(other, 0)).toBe(true);
  });

  test("sends nothing more once it is closed", async () => {
    const lake = new CountingLake();
    const ahead = new ReadAhead(portsOf(lake));
    for (let id = 0; id < 12; id++) ahead.add(fileOf(`k${id}`), ALL);
    ahead.start();
    ahead.close();
    const sent = lake.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(lake.requests.length).toBe(sent);
  });
});
