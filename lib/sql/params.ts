// Values of `?` and `$1`, put into the syntax tree as constants of their type: no text is pasted.

import { SluiceError } from "#lib/base/errors.ts";
import { type Ast, type Expression, isExpression, isObject } from "./ast.ts";
import type { QueryParam } from "./types.ts";

/** Throws `sql_invalid` unless there are as many values as the query asks for. */
export function bindParams(ast: Ast, params: readonly QueryParam[]): void {
  const found: Expression[] = [];
  collect(ast.statements, found);
  const expected = Math.max(0, ...found.map(positionOf));
  if (expected !== params.length) {
    const message = `the query has ${expected} parameters, and "params" has ${params.length}`;
    throw new SluiceError("sql_invalid", message, { expected, found: params.length });
  }
  for (const parameter of found) {
    const position = positionOf(parameter);
    const { alias } = parameter;
    for (const key of Object.keys(parameter)) delete parameter[key];
    Object.assign(parameter, constantOf(params[position - 1]!, position), { alias });
  }
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

/** From 1 on. The parser numbers the question marks. */
function positionOf(parameter: Expression): number {
  const name = String(parameter["identifier"]);
  if (/^[1-9]\d{0,4}$/.test(name)) return Number(name);
  const message = `parameter $${name}: parameters are numbered, ? or $1, and have no names`;
  throw new SluiceError("sql_invalid", message);
}

const INT32_MAX = 2 ** 31 - 1;

function constantOf(value: QueryParam, position: number): Expression {
  if (value === null) {
    return { ...constant("NULL", null), value: { type: typeOf("NULL"), is_null: true } };
  }
  if (typeof value === "string") {
    if (value.includes("\0")) throw invalid(position, "contains a zero byte");
    return constant("VARCHAR", value);
  }
  if (typeof value === "boolean") return cast(constant("VARCHAR", value ? "t" : "f"), "BOOLEAN");
  if (!Number.isInteger(value)) return cast(constant("DOUBLE", value), "DOUBLE");
  if (Number.isSafeInteger(value)) {
    return constant(Math.abs(value) <= INT32_MAX ? "INTEGER" : "BIGINT", value);
  }
  throw invalid(position, 'is beyond 2^53: send it as a text and write "?::BIGINT"');
}

function constant(typeId: string, value: QueryParam): Expression {
  return {
    class: "CONSTANT",
    type: "VALUE_CONSTANT",
    alias: "",
    value: { type: typeOf(typeId), is_null: false, value },
  };
}

function cast(child: Expression, typeId: string): Expression {
  const cast_type = typeOf(typeId);
  return { class: "CAST", type: "OPERATOR_CAST", alias: "", child, cast_type, try_cast: false };
}

function typeOf(id: string): { id: string; type_info: null } {
  return { id, type_info: null };
}

function invalid(position: number, reason: string): SluiceError {
  return new SluiceError("sql_invalid", `parameter ${position} ${reason}`, { parameter: position });
}
