// How a parameter is refused: the field, as the body or the URL names it, and what belongs there.

import { SluiceError } from "./errors.ts";

export function wrongParameter(field: string, expected: string): SluiceError {
  const message = `"${field}" must be ${expected}`;
  return new SluiceError("parameter_invalid", message, { field, expected });
}

/** A misspelt condition that counted for nothing would answer another question. */
export function unknownParameter(field: string, known: Iterable<string>): SluiceError {
  const expected = [...known].join(", ");
  const message = `"${field}" is not known here; known are ${expected}`;
  return new SluiceError("parameter_invalid", message, { field, expected });
}
