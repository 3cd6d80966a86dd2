import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { BatchHeader } from "#lib/buffer/types.ts";
import type { SchemaColumn, TableSchema } from "#lib/catalog/schema.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { outgrows, rowTexts } from "#lib/tail/row-texts.ts";
import { type RowWishes, viewRows } from "#lib/tail/row-view.ts";
import { type Cell, encodeBatch, Timestamp } from "../../helpers/encode-msgpack.ts";
import { refusalOf } from "../../helpers/refusal.ts";

function column(name: string, type: SchemaColumn["type"]): SchemaColumn {
  return { name, type, takesNumbers: false };
}

const SCHEMA: TableSchema = {
  tableId: 1,
  measurement: "m",
  schemaVersion: 1,
  columns: [
    column("time", "timestamp"),
    column("host", "utf8"),
    column("host:port", "utf8"),
    column("cores", "int64"),
    column("load", "float64"),
    column("up", "bool"),
    column("seen", "timestamp"),
    column("later", null),
  ],
};

const CELLS: readonly (readonly [string, readonly Cell[]])[] = [
  ["time", [1_790_000_000n, 1_790_000_001n, 1_790_000_002n]],
  ["host", ["a", "größer", null]],
  ["host:port", ["a:80", "x", "x"]],
  ["cores", [8n, 2n ** 53n + 1n, null]],
  ["load", [0.5, NaN, 2]],
  ["up", [true, null, false]],
  ["seen", [null, new Timestamp(1_790_000_000n, 1_500_000), null]],
];

const BYTES = encodeBatch({ measurement: "m", columns: CELLS });

function shown(wishes: Partial<RowWishes> = {}, fromRow = 0, bytes = BYTES, rowCount = 3) {
  const view = viewRows(SCHEMA, { columns: null, where: [], ...wishes });
  const header = { rowCount, receivedUs: 1_790_000_009_000_000 } as BatchHeader;
  return [...rowTexts(view, header, bytes, fromRow)].flat();
}

const rowsWhere = (...where: string[]) => shown({ where }).map(({ row }) => row);

describe("a row", () => {
  test("is JSON as a query has it, in the schema's order, what lacks is null", () => {
    expect(shown().map(({ json }) => json)).toEqual([
      '{"time":"2026-09-21T14:13:20Z","host":"a","host:port":"a:80","cores":8,"load":0.5,' +
        '"up":true,"seen":null}',
      '{"time":"2026-09-21T14:13:21Z","host":"größer","host:port":"x","cores":9007199254740993,' +
        '"load":null,"up":null,"seen":"2026-09-21T14:13:20.0015Z"}',
      '{"time":"2026-09-21T14:13:22Z","host":null,"host:port":"x","cores":null,"load":2,' +
        '"up":false,"seen":null}',
    ]);
  });

  test("has the asked columns in the asked order, and the time of arrival if it came with none", () => {
    expect(shown({ columns: ["up", "host"] }).map(({ json }) => json)).toEqual([
      '{"up":true,"host":"a"}',
      '{"up":null,"host":"größer"}',
      '{"up":false,"host":null}',
    ]);
    const bytes = encodeBatch({ measurement: "m", columns: [["host", ["b"]]] });
    expect(shown({ columns: ["time"] }, 0, bytes, 1)[0]!.json).toBe(
      '{"time":"2026-09-21T14:13:29Z"}',
    );
  });

  test("is skipped up to where the reader was", () => {
    expect(shown({}, 1).map(({ row }) => row)).toEqual([1, 2]);
    expect(shown({}, 3)).toEqual([]);
  });

  test("comes in pieces from a batch that is large, each once, and packed or not", () => {
    const rowCount = 5_000;
    const cells = Array.from({ length: rowCount }, (_, i) => `${i}`.padEnd(500, "."));
    const bytes = encodeBatch({ measurement: "m", columns: [["host", cells]] });
    const view = viewRows(SCHEMA, { columns: ["host"], where: [] });
    const pieces = [...rowTexts(view, { rowCount, receivedUs: 0 } as BatchHeader, bytes, 7)];
    expect(pieces.length).toBe(Math.ceil(bytes.byteLength / LIMITS.tailPieceBytes));
    expect(pieces.flat().map(({ row }) => row)).toEqual(cells.map((_, row) => row).slice(7));
    expect(pieces.flat()[0]!.json).toBe(JSON.stringify({ host: cells[7] }));
    expect(shown({}, 0, gzipSync(BYTES))).toEqual(shown());
  });
});

describe("a condition", () => {
  test("compares as the column's type has it; NULL equals nothing", () => {
    expect(rowsWhere("host:größer")).toEqual([1]);
    expect(rowsWhere("host:")).toEqual([]);
    expect(rowsWhere("cores:9007199254740993")).toEqual([1]);
    expect(rowsWhere("cores:0")).toEqual([]);
    expect(rowsWhere("load:2.0")).toEqual([2]);
    expect(rowsWhere("load:5e-1")).toEqual([0]);
    expect(rowsWhere("up:false")).toEqual([2]);
    expect(rowsWhere("time:2026-09-21T14:13:21Z")).toEqual([1]);
    expect(rowsWhere("seen:1790000000001500")).toEqual([1]);
    expect(rowsWhere("later:1")).toEqual([]);
  });

  test("has to hold together with the others", () => {
    expect(rowsWhere("host:a", "up:true")).toEqual([0]);
    expect(rowsWhere("host:a", "up:false")).toEqual([]);
  });

  test("means the longest column name that fits", () => {
    expect(rowsWhere("host:port:x")).toEqual([1, 2]);
  });

  test("is refused for a column that is not there, or a value that cannot be", () => {
    const faults = ["none:1", "host", "cores:1.5", "cores:9223372036854775808", "load:x", "load:"];
    for (const where of [...faults, "up:1", "time:soon"]) {
      const { code } = refusalOf(() => viewRows(SCHEMA, { columns: null, where: [where] }));
      expect(["parameter_invalid", "time_invalid"], where).toContain(code);
    }
    expect(refusalOf(() => viewRows(SCHEMA, { columns: ["none"], where: [] })).detail).toEqual({
      field: "columns",
      column: "none",
    });
  });
});

test("a batch outgrows a schema by a value in a column that has no type yet", () => {
  const batch = (name: string, cells: readonly Cell[]) =>
    encodeBatch({ measurement: "m", columns: [[name, cells]] });
  expect(outgrows(SCHEMA, BYTES)).toBe(false);
  expect(outgrows(SCHEMA, batch("later", [null, null]))).toBe(false);
  expect(outgrows(SCHEMA, batch("later", [null, 1n]))).toBe(true);
  expect(outgrows(SCHEMA, batch("new", [1n]))).toBe(true);
});
