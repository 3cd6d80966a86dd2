// Tables whose values or columns are odd: extremes of numbers, text beyond ASCII, a schema that
// grew while rows came.

import type { SeededTable } from "./data.ts";

/** 2025-10-26T00:00:00Z in microseconds. */
const MIDNIGHT = Date.UTC(2025, 9, 26) * 1_000;

function timesFrom(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => MIDNIGHT + start * 1_000_000 + i);
}

const INT64_MAX = 9_223_372_036_854_775_807n;

/** `f` has both infinities and NaN; zero with a sign arises in queries, as MessagePack drops it. */
export const NUMBERS: SeededTable = {
  types: { time: "timestamp", id: "int64", i: "int64", f: "float64", g: "utf8" },
  batches: [
    {
      time: timesFrom(0, 6),
      id: [1, 2, 3, 4, 5, 6],
      i: [INT64_MAX, -INT64_MAX - 1n, 0, -1, 1, null],
      f: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1.5, null],
      g: ["a", "a", "a", "b", "b", "b"],
    },
    {
      time: timesFrom(1, 6),
      id: [7, 8, 9, 10, 11, 12],
      i: [INT64_MAX, 9_007_199_254_740_993n, -7, 7, 42, -INT64_MAX],
      f: [Number.NaN, 5e-324, 1.7976931348623157e308, -2.5, 0.1, 0.2],
      g: ["c", "c", null, null, "d", "d"],
    },
  ],
};

export const WORDS: SeededTable = {
  types: { time: "timestamp", id: "int64", w: "utf8" },
  batches: [
    {
      time: timesFrom(0, 9),
      id: [1, 2, 3, 4, 5, 6, 7, 8, 9],
      w: [
        "apple",
        "Apple",
        "Äpfel",
        "äpfel",
        "",
        " padded ",
        "naïve café",
        "日本語テキスト",
        "𝄞 clef",
      ],
    },
    {
      time: timesFrom(1, 9),
      id: [10, 11, 12, 13, 14, 15, 16, 17, 18],
      w: [
        "a_b%c",
        "it's",
        'say "hi"',
        "back\\slash",
        "tab\tnew\nline",
        "👩‍👩‍👧 family",
        "zebra",
        "Z",
        null,
      ],
    },
  ],
};

/** `v` began as int64. What the later batches bring, the earlier ones do not have. */
export const SENSOR: SeededTable = {
  types: {
    time: "timestamp",
    station: "utf8",
    v: "float64",
    undecided: "utf8",
    humidity: "int64",
    'Odd "name"': "utf8",
    select: "int64",
    "with space": "float64",
    größe: "utf8",
    Upper: "bool",
    since: "timestamp",
    mixed: "utf8",
  },
  batches: [
    {
      time: timesFrom(0, 4),
      station: ["north", "south", "north", "south"],
      v: [1, 2, 9_007_199_254_740_992n, null],
      undecided: [null, null, null, null],
    },
    {
      time: timesFrom(10, 3),
      station: ["north", "south", "west"],
      v: [1.25, 2, -3.5],
      humidity: [40, null, 60],
    },
    {
      time: timesFrom(20, 4),
      station: ["west", "north", "south", "west"],
      humidity: [41, 42, 43, null],
      'Odd "name"': ["odd", null, "names", "odd"],
      select: [1, 2, 3, 4],
      "with space": [0.5, 1, null, 2.5],
      größe: ["klein", "groß", "GROß", null],
      Upper: [true, false, null, true],
      since: [new Date(Date.UTC(2024, 1, 29)), null, new Date(0), new Date(-1)],
      mixed: ["text", 12, 1.5, true],
    },
    {
      time: timesFrom(30, 2),
      station: ["east", null],
      v: [7, 8],
      undecided: [null, null],
      mixed: [3, "four"],
    },
  ],
};

/** A table that has columns and never had a row. */
export const VACANT: SeededTable = {
  types: { time: "timestamp", name: "utf8", v: "int64" },
  batches: [],
};

export const SINGLE: SeededTable = {
  types: { time: "timestamp", only: "utf8" },
  batches: [{ time: [MIDNIGHT], only: ["row"] }],
};

/** Comes so late that its rows are in the tail alone, where others are in files, too. */
export const NEWEST: SeededTable = {
  types: { time: "timestamp", v: "int64" },
  batches: [null, null, { time: timesFrom(40, 3), v: [1, null, 3] }],
};
