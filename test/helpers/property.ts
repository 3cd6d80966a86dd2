// How often a property is tried, and from which seed. fast-check prints the seed of a failure:
// FC_SEED repeats it, FC_RUNS=10000 tries longer.

import type { Parameters } from "fast-check";

export function propertyRuns<T>(defaultRuns: number): Parameters<T> {
  const { FC_SEED, FC_RUNS } = process.env;
  const numRuns = FC_RUNS === undefined ? defaultRuns : Number(FC_RUNS);
  return FC_SEED === undefined ? { numRuns } : { numRuns, seed: Number(FC_SEED) };
}

/** For the tests that try properties: as long as the asked number of runs may take. */
export const PROPERTY_TIMEOUT_MS = process.env["FC_RUNS"] === undefined ? 60_000 : 1_800_000;
