// What a point belongs to: a name, labels, and whether it was observed or counted.
//
// Labels are kept as canonical JSON text: values are texts, keys are in order. So `{a, b}` and
// `{b, a}` are one series, in a file as in a measurement, and 3 and "3" are one label.
//
// Refuses what could not come back as it was: empty names of metrics and labels, label values that
// are neither text, finite number nor boolean, text that is not well-formed Unicode or has U+0000
// in it.

export type Labels = Readonly<Record<string, string | number | boolean>>;

export type SeriesKind = "observation" | "increment";

export interface Series {
  readonly name: string;
  readonly kind: SeriesKind;
  readonly labels: Readonly<Record<string, string>>;
  readonly labelsJson: string;
}

/** A label that is different in every point would fill the memory, point by point. */
const SERIES_MAX = 100_000;

/** The series that one connection has recorded, each with a small number of its own. */
export class SeriesTable {
  readonly list: Series[] = [];
  /** Kind, name, then the labels as the caller wrote them: several spellings lead to one number. */
  readonly #spellings = {
    observation: new Map<string, Map<string, number>>(),
    increment: new Map<string, Map<string, number>>(),
  };
  readonly #numbers = new Map<string, number>();

  /** Throws a TypeError for a name or label that cannot be kept, a RangeError for too many. */
  numberOf(kind: SeriesKind, name: string, labels: Labels | undefined): number {
    const spelling = labels === undefined ? "" : JSON.stringify(labels);
    return this.#spellings[kind].get(name)?.get(spelling) ?? this.#add(kind, name, labels);
  }

  #add(kind: SeriesKind, name: string, labels: Labels | undefined): number {
    const series = seriesOf(kind, name, labels ?? {});
    const key = JSON.stringify([kind, name, series.labelsJson]);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      if (this.list.length === SERIES_MAX) {
        throw new RangeError(`${SERIES_MAX} series are recorded; ${name} ${key} is one too many`);
      }
      number = this.list.push(series) - 1;
      this.#numbers.set(key, number);
    }
    const spellings = this.#spellings[kind];
    if (!spellings.has(name)) spellings.set(name, new Map());
    spellings.get(name)!.set(labels === undefined ? "" : JSON.stringify(labels), number);
    return number;
  }
}

function seriesOf(kind: SeriesKind, name: string, labels: Labels): Series {
  if (checkedText(name, "a metric's name") === "") throw new TypeError("a metric needs a name");
  const texts = labelTexts(labels);
  return { name, kind, labels: texts, labelsJson: labelsJsonOf(texts) };
}

/** Labels as they are kept and compared. Those that are undefined are left out. */
export function labelTexts(labels: Labels): Record<string, string> {
  const entries = Object.entries(labels).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [checkedKey(key), labelText(key, value)]),
  );
}

export function labelsJsonOf(texts: Readonly<Record<string, string>>): string {
  const keys = Object.keys(texts).toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(texts[key])}`).join()}}`;
}

export function parseLabels(json: string): Record<string, string> {
  return JSON.parse(json) as Record<string, string>;
}

/** Whether a series has all the labels that are asked for, and maybe more. */
export function hasLabels(
  series: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, string>>,
): boolean {
  return Object.keys(asked).every(
    (key) => Object.hasOwn(series, key) && series[key] === asked[key],
  );
}

/** As SQL orders texts: by code point. `<` would put U+1F642 before U+FF5E. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [Array.from(a, codePoint), Array.from(b, codePoint)];
  const at = left.findIndex((point, i) => point !== right[i]);
  return at < 0 ? -1 : left[at]! - (right[at] ?? -1);
}

function codePoint(character: string): number {
  return character.codePointAt(0)!;
}

function labelText(key: string, value: unknown): string {
  if (typeof value === "string") return checkedText(value, `label ${key}`);
  if (typeof value === "boolean" || Number.isFinite(value)) return String(value);
  throw new TypeError(`label ${key} is neither a text, a finite number nor a boolean`);
}

function checkedKey(key: string): string {
  if (key === "") throw new TypeError("a label needs a name");
  return checkedText(key, "a label");
}

function checkedText(text: unknown, what: string): string {
  if (typeof text !== "string") throw new TypeError(`${what} is not a text`);
  if (!text.isWellFormed()) throw new TypeError(`${what} is not well-formed Unicode`);
  if (text.includes("\0")) throw new TypeError(`${what} has U+0000 in it`);
  return text;
}
