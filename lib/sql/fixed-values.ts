// The values that a query compares columns with, where they do not depend on any row.
//
// The engine itself computes them, so that a cast, an interval or a date function means here what
// it means in the query. Each is asked for in every way in which a column may be compared with it:
// which way that is depends on the column's type, which is not known yet.

import { LIMITS } from "#lib/base/limits.ts";
import type { Constant } from "#lib/catalog/row-predicate.ts";
import type { ArrowColumn } from "./arrow-stream.ts";
import type { Ast, ColumnRef, Expression, FunctionCall } from "./ast.ts";
import { callOf, selectOf, tryCast } from "./ast.ts";

/** Functions that give the same value all through a query. */
const STEADY_FUNCTIONS = new Set(
  (
    "+ - * / now today get_current_timestamp transaction_timestamp current_localtimestamp " +
    "date_trunc datetrunc to_years to_months to_days to_hours to_minutes to_seconds to_milliseconds " +
    "to_microseconds to_timestamp make_date make_timestamp epoch_ms strptime timezone"
  ).split(" "),
);
const CLOCK_FUNCTIONS = new Set(
  "now today get_current_timestamp transaction_timestamp current_localtimestamp".split(" "),
);
/** Keywords of the SQL standard that this parser takes for columns. */
const CLOCK_KEYWORDS: Record<string, string> = {
  current_timestamp: "get_current_timestamp",
  current_date: "today",
  localtimestamp: "current_localtimestamp",
};

export function isFixed(expression: Expression): boolean {
  switch (expression.class) {
    case "CONSTANT":
      return true;
    case "CAST":
      return isFixed(expression["child"] as Expression);
    case "FUNCTION": {
      const { function_name: name, children } = expression as FunctionCall;
      return STEADY_FUNCTIONS.has(name) && children.every(isFixed);
    }
    case "COLUMN_REF":
      return clockOf(expression as ColumnRef) !== undefined;
    default:
      return false;
  }
}

/**
 * Turns clock keywords into calls, so that no column of that name can give them another meaning.
 */
export function fixClocks(expression: Expression): void {
  if (expression.class === "COLUMN_REF") {
    const clock = clockOf(expression as ColumnRef)!;
    for (const key of Object.keys(expression)) delete expression[key];
    Object.assign(expression, callOf(clock));
  } else if (expression.class === "CAST") {
    fixClocks(expression["child"] as Expression);
  } else if (expression.class === "FUNCTION") {
    (expression as FunctionCall).children.forEach(fixClocks);
  }
}

function clockOf({ column_names: names }: ColumnRef): string | undefined {
  return names.length === 1 ? CLOCK_KEYWORDS[names[0]!.toLowerCase()] : undefined;
}

/** A query for all of them in one row. */
export function valuesQuery(expressions: readonly Expression[]): Ast {
  return selectOf(
    expressions.flatMap((expression) => [
      callOf("typeof", expression),
      tryCast(expression, "TIMESTAMP"),
      tryCast(expression, "DOUBLE"),
      tryCast(expression, "VARCHAR"),
    ]),
  );
}

/** What the row says, in the same order. */
export function readValues(
  expressions: readonly Expression[],
  row: readonly ArrowColumn[],
): Constant[] {
  return expressions.map((expression, at) => {
    const [type, stamp, double, text] = row.slice(4 * at, 4 * at + 4) as [
      ArrowColumn,
      ArrowColumn,
      ArrowColumn,
      ArrowColumn,
    ];
    const us = isNull(stamp) ? null : stamp.buffers[0]!.getBigInt64(0, true);
    return constantOf(textOf(type), {
      time: us === null ? null : timeOf(us, readsClock(expression)),
      number: isNull(double) ? null : double.buffers[0]!.getFloat64(0, true),
      text: isNull(text) ? null : textOf(text),
    });
  });
}

const INTEGER = /^U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?$/;
/** Not FLOAT: the engine would round the column to fit it. */
const NUMBER = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DECIMAL.*|DOUBLE)$/;

function constantOf(
  type: string,
  { time, number, text }: Pick<Constant, "time" | "number" | "text">,
): Constant {
  const isSmall = number !== null && Math.abs(number) < Number.MAX_SAFE_INTEGER;
  return {
    time,
    number: NUMBER.test(type) ? number : null,
    isExact: type === "DOUBLE" || (INTEGER.test(type) && isSmall),
    text: type === "VARCHAR" ? text : null,
    bool: type === "BOOLEAN" && text !== null ? text === "true" : null,
  };
}

/** Beyond it a timestamp is one of the infinities. */
const FINITE_US = 9_223_372_036_854_775_806n;

function timeOf(us: bigint, isClock: boolean): Constant["time"] {
  if (us > FINITE_US || us < -FINITE_US) return null;
  const ms = Math.floor(Number(us / 1_000n));
  // The engine reads its clock later than we do, by no more than a query may last.
  const lateMs = isClock ? LIMITS.queryTimeoutMs : 0;
  return { minMs: ms - 1 - lateMs, maxMs: ms + 1 + lateMs };
}

function readsClock(expression: Expression): boolean {
  if (expression.class === "CAST") return readsClock(expression["child"] as Expression);
  if (expression.class !== "FUNCTION") return false;
  const { function_name: name, children } = expression as FunctionCall;
  return CLOCK_FUNCTIONS.has(name) || children.some(readsClock);
}

function isNull({ validity }: ArrowColumn): boolean {
  return validity !== null && (validity[0]! & 1) === 0;
}

// A leading U+FEFF is content here, not a byte order mark to be dropped.
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf({ buffers }: ArrowColumn): string {
  const [offsets, bytes] = buffers as [DataView, DataView];
  const [start, end] = [offsets.getInt32(0, true), offsets.getInt32(4, true)];
  return UTF8.decode(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start));
}
