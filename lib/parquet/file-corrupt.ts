// Bytes of a data file that are not what our writer made: the one refusal of everything that reads.

import { type ErrorDetail, isSluiceError, SluiceError } from "#lib/base/errors.ts";

export function fileCorrupt(reason: string, detail: ErrorDetail = {}): SluiceError {
  return new SluiceError("file_corrupt", reason, detail);
}

/** Runs `work`; what it finds corrupt is told with the place where that is. */
export function reading<T>(place: string, detail: ErrorDetail, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isSluiceError(error) || error.code !== "file_corrupt") throw error;
    throw fileCorrupt(`${place}: ${error.message}`, { ...detail, ...error.detail });
  }
}
