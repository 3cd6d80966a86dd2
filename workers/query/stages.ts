// How long each stage of a query took, told in the answer's `cost` and in `Server-Timing`.

export class Stages {
  readonly ms: Record<string, number> = {};
  readonly #nowMs: () => number;
  readonly #startMs: number;
  #lastMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#startMs = this.#lastMs = nowMs();
  }

  /** What has run since the last stage ended. */
  end(stage: string): void {
    const nowMs = this.#nowMs();
    this.ms[stage] = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
  }

  times(): { nowMs: number; executionMs: number } {
    const nowMs = this.#nowMs();
    return { nowMs, executionMs: nowMs - this.#startMs };
  }

  /** A header's value: the stages that have ended (https://www.w3.org/TR/server-timing/). */
  serverTiming(): string {
    return Object.entries(this.ms)
      .map(([stage, ms]) => `${stage};dur=${Math.round(ms)}`)
      .join(", ");
  }
}
