import { decode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSluiceError, type SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { growSchema } from "#lib/catalog/schema-rules.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { TableBuilder } from "#lib/protocol/table-builder.ts";
import {
  batchOf,
  type Cell,
  encodeBatch,
  encodeCell,
  rawBatch,
} from "../../helpers/encode-msgpack.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import { randomTables } from "../../helpers/random-batch.ts";
import { refusalOf as refusalOfRun } from "../../helpers/refusal.ts";

describe("limits, inside and outside", () => {
  const nils = (count: number) => Array<Cell>(count).fill(null);
  const nested = (depth: number): Cell => (depth === 0 ? 1n : [nested(depth - 1)]);
  const manyColumns = (count: number) =>
    Array.from({ length: count }, (_, at): [string, Cell[]] => [`c${at}`, [1n]]);
  const timeOf = (seconds: bigint) =>
    encodeBatch({ measurement: "m", timeUnit: "s", columns: [["time", [0n, seconds]]] });
  const named = (measurement: string) => encodeBatch({ measurement, columns: [["v", [1n]]] });
  const wide = (count: number) => encodeBatch({ measurement: "m", columns: manyColumns(count) });

  test.each<[string, Uint8Array, Uint8Array, string]>([
    [
      "rows",
      batchOf("v", nils(LIMITS.rowsPerBatchMax)),
      batchOf("v", nils(LIMITS.rowsPerBatchMax + 1)),
      "batch_too_large",
    ],
    [
      "columns",
      wide(LIMITS.columnsPerBatchMax),
      wide(LIMITS.columnsPerBatchMax + 1),
      "batch_too_large",
    ],
    [
      "bytes of a column name",
      batchOf("ä".repeat(LIMITS.columnNameBytesMax / 2), [1n]),
      batchOf("ä".repeat(LIMITS.columnNameBytesMax / 2) + "a", [1n]),
      "column_name_invalid",
    ],
    [
      "letters of a measurement name",
      named("m".repeat(LIMITS.measurementNameCharsMax)),
      named("m".repeat(LIMITS.measurementNameCharsMax + 1)),
      "name_invalid",
    ],
    [
      "depth of a cell",
      batchOf("v", [nested(LIMITS.cellDepthMax)]),
      batchOf("v", [nested(LIMITS.cellDepthMax + 1)]),
      "column_type_unsupported",
    ],
    ["the latest time", timeOf(253_402_300_799n), timeOf(253_402_300_800n), "value_out_of_range"],
    ["the earliest time", timeOf(-62_135_596_800n), timeOf(-62_135_596_801n), "value_out_of_range"],
    [
      "the largest integer",
      batchOf("v", [2n ** 63n - 1n]),
      batchOf("v", [2n ** 63n]),
      "value_out_of_range",
    ],
  ])("%s", (_, inside, outside, code) => {
    expect(() => scanBatch(inside)).not.toThrow();
    expect(refusalOf(outside).code).toBe(code);
  });
});

describe("hostile bodies", () => {
  test.each<[string, number[]]>([
    ["an array of 4 billion values", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["text of 4 GB", [0x91, 0xdb, 0xff, 0xff, 0xff, 0xff]],
    ["a map of 4 billion pairs", [0x91, 0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["an extension of 4 GB", [0x91, 0xc9, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ])("that declare %s are refused before anything is allocated", (_, column) => {
    const head = [Uint8Array.of(0x81), encodeCell("columns"), Uint8Array.of(0x81), encodeCell("v")];
    const refused = refusalOf(Buffer.concat([...head, Uint8Array.from(column)]));
    expect(refused).toMatchObject({ code: "msgpack_invalid", detail: { column: "v" } });
  });

  test("that nest a million arrays are refused in a cell and skipped beside the columns", () => {
    const bomb = new Uint8Array(1_000_000).fill(0x91);
    bomb[bomb.length - 1] = 0xc0;
    expect(refusalOf(rawBatch("v", [bomb])).code).toBe("column_type_unsupported");
    const [head, tail] = [Uint8Array.of(0x83), batchOf("v", [1n]).subarray(1)];
    const bytes = Buffer.concat([head, encodeCell("other"), bomb, tail]);
    expect(scanBatch(bytes).rowCount).toBe(1);
  });

  test(
    "cut short at any byte are refused",
    () => {
      fc.assert(
        fc.property(randomTables, ({ batches: [batch] }) => {
          const { bytes } = batch!;
          const codes = new Set<string>();
          for (let length = 1; length < bytes.length; length++) {
            codes.add(refusalOf(bytes.subarray(0, length)).code);
          }
          expect([...codes]).toEqual(["msgpack_invalid"]);
        }),
        propertyRuns(20),
      );
    },
    PROPERTY_TIMEOUT_MS,
  );

  test("that end within a value that is skipped are refused", () => {
    const columns = new Map([["v", [1n]]]);
    const bytes = encodeCell(
      new Map<string, Cell>([
        ["m", "m"],
        ["columns", columns],
        ["x", 0.5],
      ]),
    );
    expect(scanBatch(bytes).rowCount).toBe(1);
    expect(refusalOf(bytes.subarray(0, -1)).code).toBe("msgpack_invalid");
  });

  test(
    "changed in one byte are refused, or can be decoded by us and by @msgpack/msgpack",
    () => {
      let acceptedCount = 0;
      const mutations = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
        minLength: 20,
        maxLength: 20,
      });
      fc.assert(
        fc.property(randomTables, mutations, ({ batches: [batch] }, changes) => {
          for (const [at, flip] of changes) {
            const bytes = batch!.bytes.slice();
            bytes[at % bytes.length]! ^= flip;
            const scan = acceptedScan(bytes);
            if (scan === null) continue;
            acceptedCount += 1;
            const builder = new TableBuilder(typedColumns(growSchema([], scan.columns)));
            builder.append(bytes, 0);
            expect(builder.finish().rowCount).toBe(scan.rowCount);
            decode(protoRenamed(bytes), { useBigInt64: true, mapKeyConverter: String });
          }
        }),
        propertyRuns(300),
      );
      expect(acceptedCount).toBeGreaterThan(100);
    },
    PROPERTY_TIMEOUT_MS,
  );
});

function refusalOf(bytes: Uint8Array): SluiceError {
  return refusalOfRun(() => scanBatch(bytes));
}

/** null when refused; anything but a refusal is a failure. */
function acceptedScan(bytes: Uint8Array) {
  try {
    return scanBatch(bytes);
  } catch (error) {
    if (isSluiceError(error)) return null;
    throw error;
  }
}

function typedColumns(columns: ReturnType<typeof growSchema>) {
  return columns.filter(
    (column): column is typeof column & { type: ColumnType } => column.type !== null,
  );
}

/** The oracle makes objects of maps and so refuses the key `__proto__`; we do not. */
function protoRenamed(bytes: Uint8Array): Uint8Array {
  const renamed = Buffer.from(bytes);
  for (let at = renamed.indexOf("__proto__"); at >= 0; at = renamed.indexOf("__proto__")) {
    renamed[at] = "-".charCodeAt(0);
  }
  return renamed;
}
