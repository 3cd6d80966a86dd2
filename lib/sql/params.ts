// Values of `?`, `$1` and `$name`, put into the syntax tree as constants of their type: no text is
// pasted.

import { SluiceError } from "#lib/base/errors.ts";
import { type Ast, cast, constant, type Expression, isExpression, isObject } from "./ast.ts";
import type { QueryParam, QueryParams } from "./types.ts";

/** Throws `sql_invalid` unless each parameter has a value, and each value a parameter. */
export function bindParams(ast: Ast, params: QueryParams): void {
  const found: Expression[] = [];
  collect(ast.statements, found);
  const values = isList(params) ? listed(params, found) : named(params, found);
  for (const parameter of found) {
    const name = nameOf(parameter);
    const { alias } = parameter;
    for (const key of Object.keys(parameter)) delete parameter[key];
    Object.assign(parameter, constantOf(values.get(name)!, name), { alias });
  }
}

function isList(params: QueryParams): params is readonly QueryParam[] {
  return Array.isArray(params);
}

function collect(value: unknown, found: Expression[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
  } else if (isExpression(value) && value.class === "PARAMETER") {
    found.push(value);
  } else if (isObject(value)) {
    for (const inner of Object.values(value)) collect(inner, found);
  }
}

/** The parser numbers the question marks, from 1 on. */
function nameOf(parameter: Expression): string {
  return String(parameter["identifier"]);
}

function listed(
  params: readonly QueryParam[],
  found: readonly Expression[],
): ReadonlyMap<string, QueryParam> {
  const odd = found.map(nameOf).find((name) => !/^[1-9]\d{0,4}$/.test(name));
  if (odd !== undefined) {
    const message = `parameter $${odd} has a name: "params" must be an object with its value`;
    throw new SluiceError("sql_invalid", message, { parameter: odd });
  }
  const expected = Math.max(0, ...found.map((parameter) => Number(nameOf(parameter))));
  if (expected !== params.length) {
    const message = `the query has ${expected} parameters, and "params" has ${params.length}`;
    throw new SluiceError("sql_invalid", message, { expected, found: params.length });
  }
  return new Map(params.map((value, at) => [String(at + 1), value]));
}

function named(
  params: Readonly<Record<string, QueryParam>>,
  found: readonly Expression[],
): ReadonlyMap<string, QueryParam> {
  const values = new Map(Object.entries(params));
  const names = new Set(found.map(nameOf));
  const missing = [...names].find((name) => !values.has(name));
  const unused = [...values.keys()].find((name) => !names.has(name));
  const parameter = missing ?? unused;
  if (parameter === undefined) return values;
  const message =
    missing === undefined
      ? `"params" has a value for $${unused}, which the query does not have`
      : `"params" has no value for $${missing}`;
  throw new SluiceError("sql_invalid", message, { parameter });
}

const INT32_MAX = 2 ** 31 - 1;

function constantOf(value: QueryParam, name: string): Expression {
  if (value === null) return constant("NULL", null);
  if (typeof value === "string") {
    if (value.includes("\0")) throw invalid(name, "contains a zero byte");
    return constant("VARCHAR", value);
  }
  if (typeof value === "boolean") return cast(constant("VARCHAR", value ? "t" : "f"), "BOOLEAN");
  if (!Number.isInteger(value)) return constant("DOUBLE", value);
  if (Number.isSafeInteger(value)) {
    return constant(Math.abs(value) <= INT32_MAX ? "INTEGER" : "BIGINT", value);
  }
  throw invalid(name, 'is beyond 2^53: send it as a text and write "::BIGINT" behind it');
}

function invalid(name: string, reason: string): SluiceError {
  return new SluiceError("sql_invalid", `parameter ${name} ${reason}`, { parameter: name });
}
