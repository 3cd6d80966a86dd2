// Random tables in many small files, and random conditions on their columns: what a pruner could
// get wrong. NULLs everywhere, NaN and zeros of either sign, integers that a double cannot tell
// apart, texts beyond the 64 bytes of their statistics and beyond U+FFFF, columns that came late or
// changed from int64 to float64.

import fc from "fast-check";
import type { Columns, QueryDatabase } from "./query-world.ts";

const START_MS = Date.UTC(2026, 0, 10);
const HOUR_MS = 3_600_000;
const BIG = 2n ** 53n;
const LONG = "long ".repeat(14);
const TEXTS = ["", "a", "ab", "abc", "b", "B", "a_c", "\u{e000}", "\u{1f6f0}", "\u{ffff}z"];
TEXTS.push(`${LONG}a`, `${LONG}b`, "\u{feff}", "é");

/** One file: where its values lie, and how they are drawn from there. */
interface FileShape {
  readonly base: number;
  readonly spread: number;
  readonly nulls: number;
  readonly rows: readonly number[];
  readonly hasNaN: boolean;
  readonly isEarly: boolean;
}

const anyFile: fc.Arbitrary<FileShape> = fc.record({
  base: fc.integer({ min: -3, max: 10 }),
  spread: fc.integer({ min: 1, max: 4 }),
  nulls: fc.constantFrom(0, 0, 3, 1),
  rows: fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 5 }),
  hasNaN: fc.boolean(),
  isEarly: fc.boolean(),
});

export const anyFiles = fc.array(anyFile, { minLength: 1, maxLength: 6 });

/** Every row has an `id` and a `time` of its own. */
export async function writeFiles(
  database: QueryDatabase,
  measurement: string,
  files: readonly FileShape[],
): Promise<void> {
  const ordered = files.toSorted((a, b) => Number(b.isEarly) - Number(a.isEarly));
  let id = 0;
  for (const file of ordered) {
    database.append(measurement, columnsOf(file, id));
    id += file.rows.length;
    await database.flush();
  }
  // The last rows stay in the tail.
  database.append(measurement, columnsOf({ ...ordered[0]!, isEarly: false }, id));
}

function columnsOf(
  { base, spread, nulls, rows, hasNaN, isEarly }: FileShape,
  from: number,
): Columns {
  const column = (make: (value: number, draw: number) => unknown) =>
    rows.map((draw) => {
      const isNull = nulls > 0 && (draw >> 3) % nulls === 0;
      return isNull ? null : make(base + (draw % spread), draw);
    });
  const early: Columns = {
    time: rows.map((draw, row) => START_MS + base * HOUR_MS + (from + row) * 60_000 + (draw % 7)),
    id: rows.map((_, row) => from + row),
    k: rows.map((draw) => draw % 3),
    i: column((value) => BigInt(value)),
    big: column((value) => BIG + BigInt(value)),
    s: column((value) => TEXTS[(value + 3) % TEXTS.length]),
    b: column((value) => value > 4),
    // An integer here, and a double in later files.
    f: column((value, draw) => (isEarly ? BIG + BigInt(value) : fractionOf(value, draw, hasNaN))),
  };
  if (isEarly) return early;
  return {
    ...early,
    late: column((value) => BigInt(value)),
    at: column((value) => new Date(START_MS + value * HOUR_MS)),
  };
}

function fractionOf(value: number, draw: number, hasNaN: boolean): number {
  if (hasNaN && draw % 4 === 0) return NaN;
  if (draw % 11 === 0) return draw % 2 === 0 ? Infinity : -Infinity;
  if (value === 0) return draw % 2 === 0 ? 0.25 : -0;
  return value + 0.5;
}

const smallInteger = fc.integer({ min: -4, max: 15 });
const number = fc.oneof(
  { weight: 3, arbitrary: smallInteger.map(String) },
  smallInteger.map((value) => `${value}.5`),
  smallInteger.map((value) => `${value}.0`),
  smallInteger.map((value) => `${value}e0`),
  smallInteger.map((value) => String(BIG + BigInt(value))),
  smallInteger.map((value) => `${BIG + BigInt(value)}::DOUBLE`),
  smallInteger.map((value) => `${BIG + BigInt(value)}::FLOAT`),
  smallInteger.map((value) => `${value}::HUGEINT`),
  fc.constantFrom("'nan'::DOUBLE", "'infinity'::DOUBLE", "-0.0", "0", "NULL", "1e300"),
);
const text = fc.oneof(
  fc.constantFrom(...TEXTS, LONG, "aa", "\u{1f6f1}").map((value) => `'${value}'`),
  fc.constant("NULL"),
);
// No bare texts: beside a subquery's column the engine compares a list of them as texts, which is
// no matter of pruning.
const moment = fc.oneof(
  smallInteger.map((hours) => `TIMESTAMP '${stamp(hours)}'`),
  smallInteger.map((hours) => `TIMESTAMPTZ '${stamp(hours)}+00'`),
  smallInteger.map((hours) => `(TIMESTAMP '${stamp(0)}' + INTERVAL '${Math.abs(hours)} hours')`),
  fc.constantFrom("DATE '2026-01-10'", "now()", "NULL"),
);
const bool = fc.constantFrom("true", "false", "NULL");

function stamp(hours: number): string {
  const iso = new Date(START_MS + hours * HOUR_MS).toISOString();
  return iso.replace("T", " ").replace("Z", "");
}

const CONSTANTS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  i: number,
  big: number,
  f: number,
  late: number,
  s: text,
  b: bool,
  at: moment,
  time: moment,
};

/** Conditions on the columns of the tables with these aliases; with "" bare names. */
export function anyCondition(...aliases: string[]): fc.Arbitrary<string> {
  const columns = Object.keys(CONSTANTS).flatMap((column) =>
    aliases.map((alias) => ({ name: alias === "" ? column : `${alias}.${column}`, column })),
  );
  const operator = fc.constantFrom("=", "<", ">", "<=", ">=", "<>");
  const not = fc.constantFrom("", "", "NOT ");
  const atom = fc.constantFrom(...columns).chain(({ name, column }) => {
    const value = CONSTANTS[column]!;
    const atoms = [
      fc.tuple(operator, value).map(([by, to]) => `${name} ${by} ${to}`),
      fc.tuple(operator, value).map(([by, to]) => `${to} ${by} ${name}`),
      fc
        .tuple(not, value, value)
        .map(([no, low, high]) => `${name} ${no}BETWEEN ${low} AND ${high}`),
      fc
        .tuple(not, fc.array(value, { minLength: 1, maxLength: 3 }))
        .map(([no, values]) => `${name} ${no}IN (${values.join(", ")})`),
      not.map((no) => `${name} IS ${no}NULL`),
      value.map((to) => `${name} IS DISTINCT FROM ${to}`),
    ];
    if (column === "b") atoms.push(fc.constantFrom(name, `NOT ${name}`, `${name} IS TRUE`));
    if (column !== "s") return fc.oneof(...atoms);
    const pattern = fc.constantFrom("a%", "ab%", "%", "a_c", "\u{1f6f0}%", `${LONG}%`, "", "a\\%");
    const like = fc.tuple(not, pattern).map(([no, by]) => `${name} ${no}LIKE '${by}'`);
    return fc.oneof(
      ...atoms,
      like,
      value.map((by) => `starts_with(${name}, ${by})`),
    );
  });
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      atom,
      fc
        .tuple(tie("condition"), fc.constantFrom("AND", "AND", "OR"), tie("condition"))
        .map(([left, by, right]) => `((${left}) ${by} (${right}))`),
      tie("condition").map((inner) => `NOT (${inner})`),
    ),
  }));
  return condition;
}

/** SELECTs over `{l}` and `{r}`, which stand for two tables or what else has their rows. */
export const anyPrunableQuery: fc.Arbitrary<string> = fc
  .record({
    on: anyCondition("a", "b"),
    where: anyCondition("a", "b"),
    onA: anyCondition("a"),
    onB: anyCondition("b"),
    bare: anyCondition(""),
    kind: fc.constantFrom("", "LEFT ", "RIGHT ", "FULL "),
    other: fc.constantFrom("", "LEFT ", "RIGHT ", "FULL "),
    half: fc.constantFrom("SEMI", "ANTI"),
  })
  .chain(({ on, where, onA, onB, bare, kind, other, half }) =>
    fc.constantFrom(
      `SELECT id FROM {l} AS t WHERE ${bare}`,
      `SELECT id FROM (SELECT * FROM {l} AS t) WHERE ${bare}`,
      `SELECT id FROM (SELECT * FROM {l} AS t ORDER BY id LIMIT 7) WHERE ${bare}`,
      `SELECT id, n FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM {l} AS t) WHERE ${bare}`,
      `SELECT i, n FROM (SELECT i, count(*) AS n FROM {l} AS x GROUP BY i) AS a
       WHERE a.i > 3 OR a.i IS NULL`,
      `SELECT a.i, a.s, n FROM (SELECT time, i, big, f, late, s, b, at, count(*) AS n
       FROM {l} AS x GROUP BY ALL) AS a WHERE ${onA}`,
      `SELECT DISTINCT i, s FROM (SELECT DISTINCT time, i, big, f, late, s, b, at FROM {l} AS x) AS a
       WHERE ${onA}`,
      `SELECT a.id, b.id FROM {l} AS a ${kind}JOIN {r} AS b ON a.k = b.k AND ${on}`,
      `SELECT a.id, b.id FROM {l} AS a ${kind}JOIN {r} AS b ON a.k = b.k WHERE ${where}`,
      `SELECT a.id, b.id, c.id FROM {r} AS c ${other}JOIN
       ({l} AS a ${kind}JOIN {r} AS b ON a.id = b.id AND ${on}) ON a.id = c.id WHERE ${where}`,
      `SELECT a.id FROM (SELECT a.* FROM {l} AS a ${kind}JOIN {r} AS b ON a.id = b.id) AS a
       WHERE ${onA}`,
      `SELECT a.id FROM {l} AS a ${half} JOIN {r} AS b ON a.k = b.k AND ${on} WHERE ${onA}`,
      `SELECT a.id, b.id FROM {l} AS a ASOF LEFT JOIN {r} AS b
       ON a.k = b.k AND a.time >= b.time WHERE ${where}`,
      `WITH c AS (FROM {l} AS t WHERE ${bare}) SELECT a.id FROM c AS a WHERE ${onA}`,
      `WITH c AS (FROM {l} AS t) SELECT a.id, (SELECT count(*) FROM c) FROM c AS a WHERE ${onA}`,
      `WITH c AS (FROM {l} AS t) SELECT a.id, b.id FROM c AS a, c AS b WHERE a.id = b.id AND ${where}`,
      `SELECT a.id FROM {l} AS a WHERE EXISTS (SELECT 1 FROM {r} AS b WHERE b.k = a.k AND ${onB})
       AND ${onA}`,
      `SELECT a.id FROM {l} AS a WHERE a.i NOT IN (SELECT b.i FROM {r} AS b WHERE ${onB})`,
      `SELECT a.id FROM {l} AS a WHERE ${onA} UNION ALL SELECT b.id FROM {r} AS b WHERE ${onB}`,
    ),
  );
