// Every query of the suite on which Sluice and today's DuckDB do not agree, and why. What is not
// here must agree; what is here and agrees again must be taken off. docs/differences.md is made
// from it, with both engines' answers.

import type { Disagreement } from "./agreement.ts";
import type { Query } from "./queries.ts";

interface Difference {
  readonly title: string;
  readonly reason: string;
  readonly queries: readonly string[];
}

export const DIFFERENCES: readonly Difference[] = [
  {
    title: "Sluice's own",
    reason: `\`time + integer\` is milliseconds, which DuckDB refuses. Names of tables are exact, and a
table that nobody wrote is an empty answer: both as in Arc.`,
    queries: [
      "dialect/time-plus-milliseconds",
      "dialect/table-in-another-case",
      "dialect/table-that-nobody-wrote",
    ],
  },
  {
    title: "Refused: newer than 0.9",
    reason: `Syntax and functions that came later, and calls chained to a column by a dot.`,
    queries: [
      "aggregates/sum-of-boolean",
      "dialect/chained-functions",
      "dialect/in-without-parentheses",
      "dialect/prefix-alias",
      "expressions/digits-in-groups",
      "nested/element-of-a-bare-literal",
      "nested/lambda-with-the-index",
      "nested/list-reduce",
      "nested/list-zip",
      "subqueries/in-of-rows",
      "windows/distinct-in-a-window",
      "windows/excluding-the-current-row",
      "windows/frame-in-groups",
    ],
  },
  {
    title: "Refused: defects of the engine",
    reason: `\`LIMIT\` in a lateral subquery cannot be planned. \`PIVOT\` must be told its values. The
others would give wrong rows: a \`RANGE\` frame that ends at an offset other than a fixed interval
of time, a list with a filter over a window, \`EXCEPT ALL\` and \`INTERSECT ALL\`, which count
no duplicates, spans with days divided by a number, \`strptime\` with fractions of seconds in several
formats, and times of day with a zone. The message says how to write it otherwise.`,
    queries: [
      "joins/lateral",
      "pivot/pivot-of-found-values",
      "windows/range-of-numbers",
      "windows/range-of-numbers-with-peers-ahead",
      "windows/list-of-some-rows-of-a-frame",
      "sets-and-ctes/except-all",
      "sets-and-ctes/intersect-all",
      "time/divided-span-of-time",
      "time/divided-days",
      "time/fractions-parsed-by-several-formats",
      "time/time-of-day-with-a-zone",
    ],
  },
  {
    title: "Other rules",
    reason: `\`_\` in \`LIKE\` stands for one byte, not one letter. A decimal loses digits without
rounding. Intervals of days are never equal to those of hours. A JSON \`null\` is NULL.
An offset in the text of a \`TIMESTAMP\` counts. \`date_trunc\` of a date is a date. A span that a
subquery made is divided without what remains of its days, and a date out of \`VALUES\` or a list,
or a date plus a span between two columns, loses the hours: cast the date to \`TIMESTAMP\`. Texts
in a list that is cast from JSON keep their quotes: use \`from_json\`. \`hash\` has other values,
and bits come as the engine's bytes: cast them to \`VARCHAR\`.`,
    queries: [
      "text/like-with-underscore-beyond-ascii",
      "expressions/decimals-with-fewer-digits",
      "time/intervals-of-days-and-hours",
      "ordering/intervals",
      "json/key-that-is-null",
      "json/element-from-the-end",
      "json/merge-patch-of-other-keys",
      "nested/map-subscript",
      "expressions/type-of-null",
      "time/literal-with-an-offset-cast-to-timestamp",
      "time/truncated-date-as-text",
      "time/weeks-from-a-sunday",
      "time/divided-span-of-a-subquery",
      "time/date-of-values-and-interval",
      "time/date-and-span-of-columns",
      "nested/text-in-json-as-a-list",
      "nested/position-of-null",
      "nested/intersection-of-repeated",
      "nested/list-joined-with-null",
      "expressions/made-text-compared-with-a-number",
      "expressions/hash-of-a-value",
      "expressions/hash-as-a-number",
      "expressions/bits",
    ],
  },
  {
    title: "Other texts",
    reason: `Names of columns that the query does not name, and texts for people to read.`,
    queries: [
      "dialect/columns-excluding",
      "dialect/columns-in-an-aggregate",
      "dialect/names-of-unnamed-dates",
      "numbers/bytes-for-people",
      "text/bar",
      "time/days-before-as-text",
      "nested/list-of-texts-as-text",
    ],
  },
];

/** The document that shows them. `found`: by name of the query. */
export function differencesDocument(
  queries: readonly Query[],
  found: ReadonlyMap<string, Disagreement>,
): string {
  const sections = DIFFERENCES.map(({ title, reason, queries: names }) => {
    const examples = names.map((name) => {
      const { sql } = queries.find((query) => query.name === name)!;
      const { sluice, native } = found.get(name)!;
      return `${sql}\n-- Sluice: ${shortened(sluice)}\n-- DuckDB: ${shortened(native)}`;
    });
    return `## ${title}\n\n${reason}\n\n\`\`\`sql\n${examples.join("\n\n")}\n\`\`\``;
  });
  return `${[INTRODUCTION, ...sections].join("\n\n")}\n`;
}

const INTRODUCTION = `# Where Sluice's SQL is not today's DuckDB

Made by [test/conformance](../test/conformance/differences.ts), which asks Sluice and native DuckDB
1.5 the same questions about the same rows, and fails on every difference that is not here and on
every one here that is gone. Sluice's engine is DuckDB 0.9.2, the newest that comes as one
WebAssembly module with Parquet, JSON and time zones in it. The answers are the first row that
differs, or the reason why there is none.`;

const TEXT_MAX = 85;

function shortened(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX - 1)}…`;
}
