// Fractions of seconds in `strptime`: to the engine's old version the `.5` of `12:00:00.5` is five
// microseconds, without a word.
//
// So the text gets the zeros that make it as many digits as the format stands for. Which digits
// they are shows the format: those after as many points as it has before them.

import { SluiceError } from "#lib/base/errors.ts";
import { callOf, constant } from "./ast.ts";
import type { Constant, Expression, FunctionCall } from "./ast.ts";

const DIGITS: Readonly<Record<string, number>> = { "%f": 6, "%g": 3 };
const FRACTION = /^(?<before>.*?[.,])(?<specifier>%[fg])/s;

/** Changes a call of strptime or try_strptime. Throws `query_unsupported` for lists of formats. */
export function padFraction(call: FunctionCall): void {
  const [text, format] = call.children;
  if (text === undefined || format === undefined) return;
  if (format.class === "FUNCTION") return refuseFractions(format as FunctionCall);
  const found = FRACTION.exec(textOf(format))?.groups;
  if (found === undefined) return;
  const point = found["before"]!.at(-1)!;
  const pointCount = found["before"]!.split(point).length - 1;
  const digits = DIGITS[found["specifier"]!]!;
  const before = `(?:[^${point}]*[${point}]){${pointCount}}`;
  const short = `^(${before}\\d{1,${digits - 1}})(\\D|$)`;
  const padded = replaced(text, short, `\\1${"0".repeat(digits - 1)}\\2`);
  call.children[0] = replaced(padded, `^(${before}\\d{${digits}})0+`, "\\1");
}

function refuseFractions({ children }: FunctionCall): void {
  if (!children.some((format) => FRACTION.test(textOf(format)))) return;
  const message =
    "strptime with several formats would read fractions of seconds wrongly with this engine and " +
    "is refused: coalesce(try_strptime(x, '…'), try_strptime(x, '…'))";
  throw new SluiceError("query_unsupported", message);
}

/** Empty where it is no constant. */
function textOf(format: Expression): string {
  return format.class === "CONSTANT" ? String((format as Constant).value.value) : "";
}

function replaced(text: Expression, pattern: string, by: string): Expression {
  return callOf("regexp_replace", text, constant("VARCHAR", pattern), constant("VARCHAR", by));
}
