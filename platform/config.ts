// Text variables of wrangler.toml, parsed and checked once; a wrong one is named.

import { assert } from "#lib/base/assert.ts";

export function positiveInteger(name: string, text: string): number {
  const value = Number(text);
  assert(
    Number.isSafeInteger(value) && value > 0,
    `variable ${name} is "${text}", not a number > 0`,
  );
  return value;
}
