// How a question about events is refused: the field, as the body names it, and what belongs there.

import { SluiceError } from "#lib/base/errors.ts";

export function wrongParameter(field: string, expected: string): SluiceError {
  const message = `"${field}" must be ${expected}`;
  return new SluiceError("parameter_invalid", message, { field, expected });
}
