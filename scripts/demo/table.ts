// A query's answer as a table that fits the terminal.

/** Arc's answer to `POST /api/v1/query`, as far as the demo shows it. */
export interface Answer {
  readonly columns: readonly string[];
  readonly data: readonly (readonly unknown[])[];
}

const ROWS_SHOWN = 8;
const GAP = "  ";
/** A column is not clipped below this; the last ones are left out instead. */
const CLIPPED_WIDTH_MIN = 12;

const ISO_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/;

/** Lines of at most `width` characters: a head, up to eight rows, and what was left out. */
export function formatTable({ columns, data }: Answer, width: number): string[] {
  if (data.length === 0) return ["(no rows)"];
  const shown = data.slice(0, ROWS_SHOWN).map((row) => row.map(formatCell));
  const natural = columns.map((name, i) =>
    Math.max(name.length, ...shown.map((cells) => cells[i]!.length)),
  );
  const widths = fitWidths(natural, width);
  const isNumeric = columns.map((_, i) => data.every((row) => isNumberOrNull(row[i])));
  const line = (cells: readonly string[]) =>
    widths
      .map((columnWidth, i) => alignCell(cells[i]!, columnWidth, isNumeric[i]!))
      .join(GAP)
      .trimEnd();

  const leftOut = [
    ...(data.length > shown.length ? [`${data.length - shown.length} more rows`] : []),
    ...(columns.length > widths.length ? [`${columns.length - widths.length} more columns`] : []),
  ];
  return [
    line(columns),
    line(widths.map((columnWidth) => "-".repeat(columnWidth))),
    ...shown.map(line),
    ...(leftOut.length > 0 ? [`… ${leftOut.join(", ")}`] : []),
  ];
}

/** Widths of the columns that fit, from the left: the widest are clipped first. */
function fitWidths(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const least = natural.map((columnWidth) => Math.min(columnWidth, CLIPPED_WIDTH_MIN));
  while (totalWidth(least) > width && least.length > 1) least.pop();
  widths.length = least.length;
  for (let excess = totalWidth(widths) - width; excess > 0; excess--) {
    const widest = Math.max(...widths);
    widths[widths.lastIndexOf(widest)] = widest - 1;
  }
  return widths;
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

function formatCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && !Number.isInteger(value)) return value.toFixed(2);
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const time = ISO_TIME.exec(text);
  if (time) return `${time[1]} ${time[2]}`;
  // Telemetry is other people's text: a control character could rewrite the terminal.
  return text.replace(/\p{Cc}/gu, " ");
}

function alignCell(cell: string, width: number, isNumeric: boolean): string {
  const clipped = cell.length > width ? `${cell.slice(0, width - 1)}…` : cell;
  return isNumeric ? clipped.padStart(width) : clipped.padEnd(width);
}

function isNumberOrNull(value: unknown): boolean {
  return typeof value === "number" || value === null;
}
