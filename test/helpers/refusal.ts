import { isSluiceError, type SluiceError } from "#lib/base/errors.ts";

/** The refusal that `run` throws. That it throws nothing, or something else, is an error. */
export function refusalOf(run: () => unknown): SluiceError {
  try {
    run();
  } catch (error) {
    if (isSluiceError(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
