// How long to wait before trying again: exponential, with full jitter, so that clients that failed
// together do not come back together.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

import { SluiceRequestError } from "./errors.ts";
import { isTransient } from "./http.ts";

const FIRST_MS = 100;
const MS_MAX = 10_000;

/** `attempt` counts from 0. What the server asks for is the least; jitter comes on top of it. */
export function backOffMs(attempt: number, retryAfterMs: number | null): number {
  const jitterMs = Math.random() * Math.min(MS_MAX, FIRST_MS * 2 ** attempt);
  return (retryAfterMs ?? 0) + jitterMs;
}

/** For work that may be done twice. Rejects with the last error when `retryForMs` are over. */
export async function retrying<T>(retryForMs: number, work: () => Promise<T>): Promise<T> {
  const startMs = Date.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SluiceRequestError) || !isTransient(error)) throw error;
      const waitMs = backOffMs(attempt, error.retryAfterMs);
      if (Date.now() + waitMs - startMs > retryForMs) throw error;
      await sleep(waitMs);
    }
  }
}

/** Resolves early, and without a word, when the signal is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}
