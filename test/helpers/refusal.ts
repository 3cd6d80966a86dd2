import { isSluiceError, type SluiceError } from "#lib/base/errors.ts";

/** The refusal that `run` throws; anything else that it throws, or that it throws nothing, fails. */
export function refusalOf(run: () => unknown): SluiceError {
  try {
    run();
  } catch (error) {
    if (isSluiceError(error)) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
