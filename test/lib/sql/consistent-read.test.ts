import { beforeEach, describe, expect, test } from "vitest";
import type { TailRequest } from "#lib/buffer/types.ts";
import { ANY_ROW } from "#lib/catalog/row-predicate.ts";
import type { SnapshotRequest } from "#lib/catalog/types.ts";
import { type DatabaseReader, readConsistently } from "#lib/sql/consistent-read.ts";

/** What is asked of the database, in order. */
let calls: string[];
/** The catalog as it is at the next snapshots; the last one stays. */
let moments: Record<string, number>[];
let reader: DatabaseReader;

beforeEach(() => {
  calls = [];
  reader = {
    async readTails({ tables }: TailRequest) {
      const headers = tables.map(({ tableId }) => header(tableId));
      calls.push(`tails ${headers.map(({ tableId }) => tableId).join(" ")}`);
      const bodies = headers.map(() => new Uint8Array());
      return [{ segmentIds: ["0.1.1"], isOverBudget: false, run: { headers, bodies } }];
    },
    async snapshot({ tables }: SnapshotRequest) {
      calls.push("snapshot");
      const now = moments.length > 1 ? moments.shift()! : moments[0]!;
      return {
        version: 1,
        hasTooManyFiles: false,
        committedSegmentIds: [],
        tables: tables.map(({ measurement }) => tableOf(measurement, now[measurement])),
      };
    },
    flush: async () => {},
    listTables: async () => [],
    tableIds: new Map(),
  };
});

function header(tableId: number) {
  return {
    tableId,
    measurement: "any",
    rowCount: 1,
    timeMinMs: 1,
    timeMaxMs: 2,
    receivedUs: 0,
    segmentId: "0.1.1",
    sequence: 1,
    byteLength: 0,
    requestId: "r",
    traceparent: null,
  };
}

function tableOf(measurement: string, tableId: number | undefined) {
  if (tableId === undefined) return null;
  const schema = { tableId, measurement, schemaVersion: 1, columns: [] };
  return { schema, files: [], fileCount: 0, timelyFileCount: 0 };
}

/** Ids of the tables, each with those of the tail rows that were read of it. */
async function read(...measurements: string[]) {
  const time = { minMs: null, maxMs: null };
  const wanted = measurements.map((measurement) => ({ measurement, time, where: ANY_ROW }));
  const { tables } = await readConsistently(reader, wanted);
  return tables.map((table) => {
    return table && [table.schema.tableId, ...table.tail.map(({ header: { tableId } }) => tableId)];
  });
}

describe("a consistent read", () => {
  test("asks tails once and the catalog once, when it knows the table", async () => {
    moments = [{ cpu: 1 }];
    await read("cpu");
    calls = [];
    expect(await read("cpu")).toEqual([[1, 1]]);
    expect(calls).toEqual(["tails 1", "snapshot"]);
  });

  test("asks the catalog for the id of a table that it has not met", async () => {
    moments = [{ cpu: 1, mem: 2 }];
    await read("cpu");
    calls = [];
    expect(await read("cpu", "mem")).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(calls).toEqual(["tails 1", "snapshot", "tails 1 2", "snapshot"]);
  });

  test("asks once for a table that does not exist", async () => {
    moments = [{}];
    expect(await read("cpu")).toEqual([null]);
    expect(calls).toEqual(["snapshot"]);
  });

  test("reads tails anew when the name is another table by the time of the snapshot", async () => {
    moments = [{ cpu: 1 }, { cpu: 1 }, { cpu: 2 }];
    await read("cpu");
    calls = [];
    expect(await read("cpu")).toEqual([[2, 2]]);
    expect(calls).toEqual(["tails 1", "snapshot", "tails 2", "snapshot"]);
  });

  test("has no rows of a table that was dropped meanwhile, and of its namesake all", async () => {
    moments = [{ cpu: 1 }, { cpu: 1 }, {}, { cpu: 2 }];
    await read("cpu");
    expect(await read("cpu")).toEqual([null]);
    expect(await read("cpu")).toEqual([[2, 2]]);
  });
});
