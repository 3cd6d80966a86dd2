// The range of time that a query can see of a table, read from its WHERE.
//
// Only what is certain counts: comparisons of the table's own `time` with something constant,
// joined by AND, in the WHERE of the very SELECT that reads the table; and what follows from them
// for a table that is joined with that one by time (`m.time BETWEEN e.time AND …`), without which
// the engine would sort all of it for the join. None of them is ever true for NULL, so that a row
// which an outer join makes up is dropped as the row it stands for would have been. What is not
// understood leaves the range open. The engine itself computes the
// constants, so that a cast, an interval or a date function means here what it means in the query.

import { LIMITS } from "#lib/base/limits.ts";
import type { TimeRangeMs } from "#lib/catalog/types.ts";
import type { Ast, ColumnRef, Expression, FromNode, FunctionCall, SelectNode } from "./ast.ts";
import { callOf, selectOf, tryCast } from "./ast.ts";
import type { Leaf, Scope, TableReference } from "./resolve.ts";

/** `time` is at least the smallest of `values`, at most the largest, or both. */
export interface TimePredicate {
  readonly bounds: "min" | "max" | "both";
  readonly values: readonly Expression[];
}

type Bounds = TimePredicate["bounds"];

const COMPARISONS: Record<string, { readonly bounds: Bounds; readonly flipped: Bounds }> = {
  COMPARE_EQUAL: { bounds: "both", flipped: "both" },
  COMPARE_GREATERTHAN: { bounds: "min", flipped: "max" },
  COMPARE_GREATERTHANOREQUALTO: { bounds: "min", flipped: "max" },
  COMPARE_LESSTHAN: { bounds: "max", flipped: "min" },
  COMPARE_LESSTHANOREQUALTO: { bounds: "max", flipped: "min" },
};

/** Adds to the predicates of each table in `scope` what the query demands of its time. */
export function findTimePredicates(node: SelectNode, scope: Scope): void {
  const { where_clause: where, from_table } = node;
  const demands = conjuncts(where).flatMap(comparisonsOf);
  for (const { left, bounds, right } of demands) {
    const table = tableOfTime(left, scope);
    if (table === null || !right.every(isConstant)) continue;
    right.forEach(fixClocks);
    table.predicates.push({ bounds, values: right });
  }
  const met = innerConditions(from_table).flatMap(conjuncts).flatMap(comparisonsOf);
  const joins = [...demands, ...met].flatMap((comparison) => timeJoinOf(comparison, scope));
  const derived = joins.map(predicatesAcross);
  for (const [at, { table }] of joins.entries()) table.predicates.push(...derived[at]!);
}

function conjuncts(where: Expression | null): Expression[] {
  if (where === null) return [];
  if (where.type !== "CONJUNCTION_AND") return [where];
  return (where["children"] as Expression[]).flatMap(conjuncts);
}

/** `left` is at least the smallest of `right`, at most the largest, or both. */
interface Comparison {
  readonly left: Expression;
  readonly bounds: Bounds;
  readonly right: readonly Expression[];
}

function comparisonsOf(term: Expression): Comparison[] {
  if (term.type === "COMPARE_BETWEEN") {
    const { input: left, lower, upper } = term as unknown as Record<string, Expression>;
    return [
      { left: left!, bounds: "min", right: [lower!] },
      { left: left!, bounds: "max", right: [upper!] },
    ];
  }
  if (term.type === "COMPARE_IN") {
    const [left, ...right] = term["children"] as Expression[];
    return [{ left: left!, bounds: "both", right }];
  }
  if (term.class !== "COMPARISON" || !(term.type in COMPARISONS)) return [];
  const { left, right } = term as unknown as Record<string, Expression>;
  const { bounds, flipped } = COMPARISONS[term.type]!;
  return [
    { left: left!, bounds, right: [right!] },
    { left: right!, bounds: flipped, right: [left!] },
  ];
}

/**
 * Conditions of inner joins. They may stand below an outer join: what it makes up has no time of
 * either table, and so the WHERE that bounds one of the two drops it.
 */
function innerConditions(from: FromNode): Expression[] {
  if (from.type !== "JOIN") return [];
  const isInner = from["join_type"] === "INNER" && from["ref_type"] === "REGULAR";
  const own = isInner ? [from["condition"] as Expression | null] : [];
  const sides = [from["left"], from["right"]] as FromNode[];
  return [...own.filter((one) => one !== null), ...sides.flatMap(innerConditions)];
}

/** A table's `time` compared with another's, which may be shifted by a fixed span. */
interface TimeJoin {
  readonly table: TableReference;
  readonly bounds: Bounds;
  readonly other: TableReference;
  /** What the other side is when `time` in it is this. */
  shifted(time: Expression): Expression;
}

function timeJoinOf({ left, bounds, right }: Comparison, scope: Scope): TimeJoin[] {
  const table = tableOfTime(left, scope);
  if (table === null || right.length !== 1) return [];
  const [side] = right as [Expression];
  const call = side.class === "FUNCTION" ? (side as FunctionCall) : null;
  const [first, span] = call?.children ?? [];
  const isShift = ["+", "-"].includes(call?.function_name ?? "") && span && isFixedSpan(span);
  const other = tableOfTime(isShift ? first! : side, scope);
  if (other === null || other === table) return [];
  const shifted = (time: Expression) => (isShift ? { ...call!, children: [time, span] } : time);
  return [{ table, bounds, other, shifted }];
}

/** `a.time >= b.time - span` and `b.time >= x` give `a.time >= x - span`. */
function predicatesAcross({ bounds, other, shifted }: TimeJoin): TimePredicate[] {
  return other.predicates.flatMap((known) => {
    const both = bounds === "both" ? known.bounds : bounds;
    if (known.bounds !== "both" && known.bounds !== both) return [];
    return { bounds: both, values: known.values.map((at) => shifted(tryCast(at, "TIMESTAMP"))) };
  });
}

const FIXED_SPANS = new Set(
  "to_days to_hours to_minutes to_seconds to_milliseconds to_microseconds".split(" "),
);
const FIXED_SPAN = /^\s*\d+\s*(?:millisecond|second|minute|hour|day|week)s?\s*$/i;

/** Not months: their lengths differ, and two times shifted by one may change places. */
function isFixedSpan(expression: Expression): boolean {
  if (expression.class === "FUNCTION") {
    const { function_name: name, children } = expression as FunctionCall;
    return FIXED_SPANS.has(name) && children.every(isConstant);
  }
  if (expression.class !== "CAST") return false;
  const { child, cast_type: type } = expression as unknown as CastOfConstant;
  return type.id === "INTERVAL" && FIXED_SPAN.test(String(child.value?.value));
}

interface CastOfConstant {
  readonly child: { readonly value?: { readonly value: unknown } };
  readonly cast_type: { readonly id: string };
}

/** The one table whose `time` the expression is; null when that is not certain. */
function tableOfTime(expression: Expression, { leaves }: Scope): TableReference | null {
  if (expression.class !== "COLUMN_REF") return null;
  const names = (expression as ColumnRef).column_names.map((name) => name.toLowerCase());
  if (names.pop() !== "time") return null;
  const qualifier = names.pop();
  const isMeant = ({ alias, table }: Leaf): boolean =>
    qualifier === undefined
      ? leaves.length === 1
      : alias === qualifier && (names.length === 0 || table?.database.toLowerCase() === names[0]);
  const meant = leaves.filter(isMeant);
  const [leaf] = meant;
  return meant.length === 1 && leaf!.isPrunable ? leaf!.table : null;
}

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

function isConstant(expression: Expression): boolean {
  switch (expression.class) {
    case "CONSTANT":
      return true;
    case "CAST":
      return isConstant(expression["child"] as Expression);
    case "FUNCTION": {
      const { function_name: name, children } = expression as FunctionCall;
      return STEADY_FUNCTIONS.has(name) && children.every(isConstant);
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
function fixClocks(expression: Expression): void {
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

/**
 * A query for all constants of all predicates, as timestamps in one row; null when there are none.
 */
export function boundsQuery(tables: readonly TableReference[]): Ast | null {
  const values = tables.flatMap(({ predicates }) => predicates.flatMap((one) => one.values));
  return values.length === 0 ? null : selectOf(values.map((value) => tryCast(value, "TIMESTAMP")));
}

const OPEN: TimeRangeMs = { minMs: null, maxMs: null };
/** Beyond it a timestamp is one of the infinities. */
const FINITE_US = 9_223_372_036_854_775_806n;

/**
 * The range of each table, rounded outwards to milliseconds. `us` are the answers to boundsQuery in
 * order, null where a value is no timestamp; null altogether when the engine could not compute
 * them.
 */
export function timeRanges(
  tables: readonly TableReference[],
  us: readonly (bigint | null)[] | null,
): TimeRangeMs[] {
  if (us === null) return tables.map(() => OPEN);
  let next = 0;
  return tables.map(({ predicates }) => {
    let range = OPEN;
    for (const { bounds, values } of predicates) {
      const stamps = us.slice(next, next + values.length);
      next += values.length;
      const isKnown = stamps.every((at) => at !== null && at <= FINITE_US && at >= -FINITE_US);
      if (isKnown) range = narrow(range, bounds, stamps as bigint[], values.some(readsClock));
    }
    return range;
  });
}

function narrow(
  { minMs, maxMs }: TimeRangeMs,
  bounds: Bounds,
  us: readonly bigint[],
  isClock: boolean,
): TimeRangeMs {
  const ms = us.map((at) => Math.floor(Number(at / 1_000n)));
  // The engine reads its clock later than we do, by no more than a query may last.
  const lateMs = isClock ? LIMITS.queryTimeoutMs : 0;
  const low = bounds === "max" ? null : Math.min(...ms) - 1;
  const high = bounds === "min" ? null : Math.max(...ms) + 1 + lateMs;
  return {
    minMs: low === null ? minMs : Math.max(low, minMs ?? low),
    maxMs: high === null ? maxMs : Math.min(high, maxMs ?? high),
  };
}

function readsClock(expression: Expression): boolean {
  if (expression.class === "CAST") return readsClock(expression["child"] as Expression);
  if (expression.class !== "FUNCTION") return false;
  const { function_name: name, children } = expression as FunctionCall;
  return CLOCK_FUNCTIONS.has(name) || children.some(readsClock);
}
