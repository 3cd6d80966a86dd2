// Random conditions on time, for properties of pruning: most of what people write, and what a
// pruner could get wrong.

import fc from "fast-check";

/** The middle of all random times, 2026-01-10 12:00 UTC. */
export const MIDDLE_MS = Date.UTC(2026, 0, 10, 12);
const SPAN_MS = 6 * 86_400_000;

/** Some days around the middle, often on a boundary. */
export const anyTimeMs: fc.Arbitrary<number> = fc
  .oneof(
    fc.integer({ min: -SPAN_MS, max: SPAN_MS }),
    fc.integer({ min: -6, max: 6 }).map((days) => days * 86_400_000),
    fc.integer({ min: -3, max: 3 }),
  )
  .map((offset) => MIDDLE_MS + offset);

function text(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "");
}

const anyInterval = fc.constantFrom(
  "INTERVAL '1 hour'",
  "INTERVAL 2 DAYS",
  "INTERVAL '1 month'",
  "INTERVAL (3) MINUTE",
);

/** Texts of constants that compare with a timestamp. */
export const anyConstant: fc.Arbitrary<string> = fc.oneof(
  anyTimeMs.map((ms) => `'${text(ms)}'`),
  anyTimeMs.map((ms) => `'${text(ms).slice(0, 10)}'`),
  anyTimeMs.map((ms) => `'${new Date(ms).toISOString()}'`),
  anyTimeMs.map((ms) => `'${text(ms)}+02:00'`),
  anyTimeMs.map((ms) => `TIMESTAMP '${text(ms)}456'`),
  anyTimeMs.map((ms) => `TIMESTAMPTZ '${text(ms)}-03'`),
  anyTimeMs.map((ms) => `DATE '${text(ms).slice(0, 10)}'`),
  anyTimeMs.map((ms) => `CAST('${text(ms)}' AS TIMESTAMP)`),
  anyTimeMs.map((ms) => `(DATE '${text(ms).slice(0, 10)}' + 2)`),
  anyTimeMs.map((ms) => `to_timestamp(${Math.floor(ms / 1_000)})`),
  anyTimeMs.map((ms) => `date_trunc('hour', TIMESTAMP '${text(ms)}')`),
  fc.tuple(anyTimeMs, anyInterval).map(([ms, by]) => `(TIMESTAMP '${text(ms)}' - ${by})`),
  anyInterval.map((by) => `(now() - ${by})`),
  fc.constantFrom("now()", "current_timestamp", "current_date", "today()", "'infinity'", "NULL"),
);

/** Conditions over columns `<name>.time` or `time`, and `v`, a small integer. */
export function anyPredicate(columns: readonly string[]): fc.Arbitrary<string> {
  const column = fc.constantFrom(...columns);
  const operator = fc.constantFrom("=", "<", ">", "<=", ">=", "<>");
  const atom = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(column, operator, anyConstant).map((all) => all.join(" ")) },
    fc.tuple(anyConstant, operator, column).map((all) => all.join(" ")),
    fc
      .tuple(column, fc.constantFrom("", "NOT "), anyConstant, anyConstant)
      .map(([name, not, low, high]) => `${name} ${not}BETWEEN ${low} AND ${high}`),
    fc
      .tuple(
        column,
        fc.constantFrom("", "NOT "),
        fc.array(anyConstant, { minLength: 1, maxLength: 3 }),
      )
      .map(([name, not, values]) => `${name} ${not}IN (${values.join(", ")})`),
    fc
      .tuple(column, operator, anyConstant)
      .map(([name, by, to]) => `date_trunc('day', ${name}) ${by} ${to}`),
    fc.tuple(column, anyInterval, anyConstant).map(([name, by, to]) => `${name} + ${by} > ${to}`),
    fc.tuple(column, anyConstant).map(([name, to]) => `${name} IS DISTINCT FROM ${to}`),
    column.map((name) => `${name} IS NOT NULL`),
    fc.constantFrom("v > 2", "v IS NULL", "true", "v = 1 OR v = 3"),
  );
  const { predicate } = fc.letrec<{ predicate: string }>((tie) => ({
    predicate: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      atom,
      fc
        .tuple(tie("predicate"), fc.constantFrom("AND", "AND", "AND", "OR"), tie("predicate"))
        .map(([left, by, right]) => `((${left}) ${by} (${right}))`),
      tie("predicate").map((inner) => `NOT (${inner})`),
    ),
  }));
  return predicate;
}
