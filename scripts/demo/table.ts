// A query's answer as the demo shows it: few rows, and short cells.

import { exactCell, formatTable, type Answer } from "../../clients/cli/query/table.ts";

const ROWS_SHOWN = 8;
const ISO_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/;

/** Lines of at most `width` characters: a head, up to eight rows, and what was left out. */
export function formatAnswer(answer: Answer, width: number): string[] {
  return formatTable(answer, width, ROWS_SHOWN, briefCell);
}

function briefCell(value: unknown): string {
  if (typeof value === "number" && !Number.isInteger(value)) return value.toFixed(2);
  const time = typeof value === "string" ? ISO_TIME.exec(value) : null;
  return time === null ? exactCell(value) : `${time[1]} ${time[2]}`;
}
