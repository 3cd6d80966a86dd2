// Constants written as texts: `time > '2025-10-26 03:30'`, `TIMESTAMP '…'`, `AT TIME ZONE '…'`.
//
// The engine's old version knows no time without seconds, compares as texts what it cannot cast,
// takes a condition with such a constant for false, and an unknown time zone for UTC: all without a
// word. So a text beside a column, or something made of it, becomes a constant of that type, times
// get their seconds, and whatever the engine then cannot read is refused by its name.

import { SluiceError } from "#lib/base/errors.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import type { Ast, Cast, Constant, Expression, FunctionCall } from "./ast.ts";
import { cast, isExpression, isObject, selectOf, tryCast, wrap } from "./ast.ts";
import { type ColumnTypeOf, columnType } from "./durations.ts";
import type { Resolved, Scope } from "./scope.ts";

const SQL_TYPES: Record<ColumnType, string> = {
  timestamp: "TIMESTAMP",
  int64: "BIGINT",
  float64: "DOUBLE",
  bool: "BOOLEAN",
  utf8: "VARCHAR",
};

/** Gives texts the type of what they are compared with, where that is certain. Changes them. */
export function typeConstants(comparisons: Resolved["comparisons"], typeOf: ColumnTypeOf): void {
  for (const { comparison, scope } of comparisons) {
    const sides = sidesOf(comparison);
    const texts = sides.filter(isText);
    const others = sides.filter((side) => !isText(side));
    const types = new Set(others.map((side) => valueType(side, scope, typeOf)));
    const [type] = types;
    if (types.size !== 1 || typeof type !== "string" || type === "VARCHAR") continue;
    for (const side of texts) wrap(side, (text) => cast(text, type));
  }
}

/** Texts that compare in another way as a number or a time than as texts. */
const MAY_BE_OTHER = /^\s*[-+.]?\d/;

/**
 * Where types are not certain, `x NOT IN ('1.50', …)` becomes `x <> '1.50' AND …`: for a list with
 * a text the engine may take all of it as texts, and `x` too; for one comparison it never does.
 * After `typeConstants`. Changes them.
 */
export function splitLists(comparisons: Resolved["comparisons"], typeOf: ColumnTypeOf): void {
  // Inner ones first, because what is compared is copied.
  for (const { comparison, scope } of comparisons.toReversed()) {
    const { type } = comparison;
    if (type !== "COMPARE_IN" && type !== "COMPARE_NOT_IN") continue;
    const [value, ...items] = comparison["children"] as [Expression, ...Expression[]];
    const texts = items.filter(
      (item) => isText(item) && MAY_BE_OTHER.test(String(item.value.value)),
    );
    if (texts.length === 0 || !canRepeat(value)) continue;
    if (valueType(value, scope, typeOf) !== "VARCHAR")
      wrap(comparison, (list) => split(list, texts));
  }
}

const REPEATABLE = new Set(["COLUMN_REF", "CONSTANT", "CAST", "FUNCTION"]);
const RANDOM = new Set(["random", "uuid", "gen_random_uuid"]);

/** Nothing in it is a query, which is known by its place, or gives another value each time. */
function canRepeat(value: unknown): boolean {
  if (!isObject(value)) return true;
  const isOther = isExpression(value) && !REPEATABLE.has(value.class);
  if (isOther || RANDOM.has(String(value["function_name"]))) return false;
  return Object.values(value).every(canRepeat);
}

function split(list: Expression, texts: readonly Expression[]): Expression {
  const isIn = list.type === "COMPARE_IN";
  const [value, ...items] = list["children"] as [Expression, ...Expression[]];
  const others = items.filter((item) => !texts.includes(item));
  const comparisons: Expression[] = texts.map((right) => ({
    class: "COMPARISON",
    type: isIn ? "COMPARE_EQUAL" : "COMPARE_NOTEQUAL",
    alias: "",
    left: structuredClone(value),
    right,
  }));
  const children =
    others.length === 0 ? comparisons : [...comparisons, { ...list, children: [value, ...others] }];
  const type = isIn ? "CONJUNCTION_OR" : "CONJUNCTION_AND";
  return children.length === 1 ? children[0]! : { class: "CONJUNCTION", type, alias: "", children };
}

function sidesOf(comparison: Expression): Expression[] {
  const { children } = comparison;
  if (children !== undefined) return children as Expression[];
  const { left, right, input, lower, upper } = comparison as unknown as Record<string, Expression>;
  return [left, right, input, lower, upper].filter((side) => side !== undefined);
}

function isText(expression: Expression): expression is Constant {
  return expression.class === "CONSTANT" && (expression as Constant).value.type.id === "VARCHAR";
}

/** Where the value lies from which a function's result has its type. */
const SAME_TYPE: Readonly<Record<string, number>> = {
  date_trunc: 1,
  datetrunc: 1,
  time_bucket: 1,
  min: 0,
  max: 0,
  first: 0,
  last: 0,
  lag: 0,
  lead: 0,
  first_value: 0,
  last_value: 0,
  any_value: 0,
};

const CAST_TYPES = new Set([...Object.values(SQL_TYPES), "DATE", "TIMESTAMP WITH TIME ZONE"]);

/** Its type in SQL; null: not certain. */
function valueType(expression: Expression, scope: Scope, typeOf: ColumnTypeOf): string | null {
  if (expression.class === "FUNCTION" || expression.class === "WINDOW") {
    const { function_name: name, children } = expression as FunctionCall;
    const value = children[SAME_TYPE[name] ?? children.length];
    return value === undefined ? null : valueType(value, scope, typeOf);
  }
  if (expression.class === "CAST") {
    const { id } = (expression as Cast).cast_type;
    return CAST_TYPES.has(id) ? id : null;
  }
  const type = columnType(expression, scope, typeOf);
  return type === null ? null : SQL_TYPES[type];
}

const TIMES = new Set(["TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIME"]);
/** A time of day without seconds, at the end or before a time zone. */
const WITHOUT_SECONDS =
  /^(\s*(?:\d+-\d+-\d+[ T]+)?\d{1,2}:\d{2})(\s*(?:Z|[+-]\d{2}(?::?\d{2})?)?\s*)$/;

/** Changes texts that are cast to a time. */
export function addSeconds(ast: Ast): void {
  for (const text of castTexts(ast).filter(({ cast_type: type }) => TIMES.has(type.id))) {
    (text.child as Constant).value.value = textOf(text).replace(WITHOUT_SECONDS, "$1:00");
  }
}

/** What the engine is to be asked about a query's constants. */
export interface ConstantCheck {
  /** One row with a truth value for each text: is it wrong? */
  readonly query: Ast;
  /** Throws `sql_invalid` for the first that is. */
  judge(areWrong: readonly boolean[]): void;
}

/** null: no text is cast. One that is only tried may be wrong. */
export function checkCasts(ast: Ast): ConstantCheck | null {
  const casts = castTexts(ast).filter(({ try_cast: isTried }) => !isTried);
  if (casts.length === 0) return null;
  return {
    query: selectOf(casts.map(isNull)),
    judge(areWrong) {
      const wrong = casts[areWrong.indexOf(true)];
      if (wrong === undefined) return;
      const value = textOf(wrong);
      const type = wrong.cast_type.id;
      throw new SluiceError("sql_invalid", `'${value}' is not a ${type}`, { value, type });
    },
  };
}

function isNull({ child, cast_type: type }: Cast): Expression {
  const children = [{ ...tryCast(child, type.id), cast_type: type }];
  return { class: "OPERATOR", type: "OPERATOR_IS_NULL", alias: "", children };
}

/**
 * `names`: the zones that there are, by lower-case name. Changes the case of what the query calls
 * them. Throws `sql_invalid`.
 */
export function checkTimeZones(zones: readonly Constant[], names: ReadonlyMap<string, string>) {
  for (const { value } of zones) {
    const zone = String(value.value);
    const name = names.get(zone.toLowerCase());
    if (name === undefined) {
      throw new SluiceError("sql_invalid", `there is no time zone '${zone}'`, { value: zone });
    }
    value.value = name;
  }
}

/** Those of `AT TIME ZONE` and `timezone(…)`. */
export function timeZonesOf(ast: Ast): Constant[] {
  const found: Constant[] = [];
  visit(ast.statements, (expression) => {
    if (expression.class !== "FUNCTION") return;
    const { function_name: name, children } = expression as FunctionCall;
    const [zone] = children;
    if (name === "timezone" && children.length === 2 && isText(zone!)) found.push(zone);
  });
  return found;
}

function castTexts(ast: Ast): Cast[] {
  const found: Cast[] = [];
  visit(ast.statements, (expression) => {
    if (expression.class === "CAST" && isText((expression as Cast).child)) {
      found.push(expression as Cast);
    }
  });
  return found;
}

function textOf({ child }: Cast): string {
  return String((child as Constant).value.value);
}

function visit(value: unknown, look: (expression: Expression) => void): void {
  if (!isObject(value)) return;
  if (isExpression(value)) look(value);
  for (const inner of Object.values(value)) visit(inner, look);
}
