// What a rule's query answers, from the Arrow stream that it comes in, whose types say which column
// is a number and which a label.
//
// Refuses (`alert_result_invalid`) more rows than LIMITS.alertRowsMax.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import {
  ARROW,
  type ArrowColumn,
  type ArrowField,
  ArrowStreamReader,
} from "#lib/sql/arrow-stream.ts";
import { cellText } from "#lib/sql/cell-text.ts";
import { distinctNames } from "#lib/sql/results/writer.ts";
import type { AlertRows, Cell, CellKind } from "./types.ts";

export function readAlertRows(stream: Uint8Array): AlertRows {
  const reader = new ArrowStreamReader();
  const batches = reader.read(stream);
  const names = distinctNames(reader.fields);
  const columns = reader.fields.map((field, at) => ({ name: names[at]!, kind: kindOf(field) }));
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  const limit = LIMITS.alertRowsMax;
  if (rowCount > limit) throw invalid(`the query answers with more than ${limit} rows`, { limit });
  const rows = batches.flatMap((batch) => {
    const cells = batch.columns.map((column, at) => cellReader(column, columns[at]!.kind));
    return Array.from({ length: batch.rowCount }, (_, row) => cells.map((cell) => cell(row)));
  });
  return { columns, rows };
}

export function invalid(
  message: string,
  detail: Record<string, string | number> = {},
): SluiceError {
  return new SluiceError("alert_result_invalid", message, detail);
}

const KINDS = new Map<number, CellKind>([
  [ARROW.int, "number"],
  [ARROW.float, "number"],
  [ARROW.decimal, "number"],
  [ARROW.utf8, "text"],
  [ARROW.bool, "text"],
  [ARROW.timestamp, "time"],
  [ARROW.date, "time"],
]);

function kindOf({ type }: ArrowField): CellKind {
  return KINDS.get(type) ?? "other";
}

function cellReader(column: ArrowColumn, kind: CellKind): (row: number) => Cell {
  const text = cellText(column);
  switch (kind) {
    case "number":
      return (row) => numberOf(text(row));
    case "text":
      return (row) => labelOf(JSON.parse(text(row)) as string | boolean | null);
    case "time":
      return (row) => timeOf(JSON.parse(text(row)) as string | null);
    case "other":
      return () => null;
  }
}

function numberOf(text: string): number | null {
  return text === "null" ? null : Number(text);
}

function labelOf(value: string | boolean | null): string | null {
  return value === null ? null : String(value);
}

function timeOf(text: string | null): number | null {
  const ms = text === null ? NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}
