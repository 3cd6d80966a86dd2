// Rows as a table that fits the terminal: aligned, clipped, and safe to show.

/** Arc's answer to `POST /api/v1/query`, as far as it is shown. */
export interface Answer {
  readonly columns: readonly string[];
  readonly data: readonly (readonly unknown[])[];
}

const GAP = "  ";
/** A column is not clipped below this; the last ones are left out instead. */
const CLIPPED_WIDTH_MIN = 12;

/** Two columns of the terminal: emoji, and the scripts of East Asia. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60\uffe0-\uffe6]/u;
const ASCII = /^[\x20-\x7e]*$/;

/**
 * Lines of at most `width` columns: a head, up to `rowsMax` rows, and what was left out.
 * `formatCell` must not give control characters.
 */
export function formatTable(
  { columns, data }: Answer,
  width: number,
  rowsMax: number,
  formatCell: (value: unknown) => string = exactCell,
): string[] {
  if (data.length === 0) return ["(no rows)"];
  const heads = columns.map((name) => withoutControls(name));
  const shown = data.slice(0, rowsMax).map((row) => row.map(formatCell));
  const natural = heads.map((name, i) =>
    shown.reduce((most, cells) => Math.max(most, widthOf(cells[i]!)), widthOf(name)),
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
    line(heads),
    line(widths.map((columnWidth) => "-".repeat(columnWidth))),
    ...shown.map(line),
    ...(leftOut.length > 0 ? [`… ${leftOut.join(", ")}`] : []),
  ];
}

/** NULL is empty, everything else as the server sent it. */
export function exactCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return withoutControls(typeof value === "object" ? jsonOf(value) : String(value));
}

/** Telemetry is other people's text: a control character could rewrite the terminal. */
export function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, " ");
}

/** With digits where JSON.stringify would refuse a bigint. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "bigint" ? String(item) : item,
  );
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

function alignCell(cell: string, width: number, isNumeric: boolean): string {
  const clipped = clip(cell, width);
  const padding = " ".repeat(Math.max(0, width - widthOf(clipped)));
  return isNumeric ? padding + clipped : clipped + padding;
}

function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let clipped = "";
  let taken = 1;
  for (const character of text) {
    taken += widthOfCharacter(character);
    if (taken > width) break;
    clipped += character;
  }
  return `${clipped}…`;
}

function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCharacter(character);
  return width;
}

function widthOfCharacter(character: string): number {
  if (/\p{Mn}|\p{Cf}/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

function isNumberOrNull(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint" || value === null;
}
