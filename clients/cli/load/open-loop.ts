// Sends at a fixed rate, whatever the server does, and counts latency from when a request was due.
//
// A closed loop would wait with the next request while the server is slow, and so leave out just
// the latencies that count ("coordinated omission", Gil Tene). Here requests have a timetable: when
// all connections are busy, a request waits for one, and the wait is part of its latency. What has
// not begun when the time is over is not sent any more, and is told apart in the report. Latencies
// are those of acknowledged requests: a server that refuses at once is not a fast one.

import { LatencyHistogram } from "./histogram.ts";

/** How one request ended, as the sender tells it. */
export interface Outcome {
  /** `unknown`: it may be stored or not, as after a time-out. */
  readonly result: "acknowledged" | "refused" | "unknown";
  /** By which errors are counted: a status or the code of a broken connection. */
  readonly kind: string;
  /** The server's `Retry-After`; null when it did not ask to wait. */
  readonly retryAfterMs: number | null;
}

export interface LoopPlan {
  readonly requestsPerSecond: number;
  readonly durationMs: number;
  readonly inFlightMax: number;
}

export interface LoopState {
  dueCount: number;
  begunCount: number;
  inFlight: number;
  elapsedMs: number;
  readonly latencies: LatencyHistogram;
}

export interface Loop {
  /** Lives on while the loop runs, for those who show progress. */
  readonly state: LoopState;
  /** Resolves when every request that began has ended. */
  readonly ended: Promise<void>;
  /** Begins no further request. */
  stop(): void;
}

/** `send` is given the number of the request, from 0, and never rejects. */
export function startLoop(
  plan: LoopPlan,
  send: (index: number) => Promise<Outcome>,
  onOutcome: (index: number, outcome: Outcome) => void,
): Loop {
  const intervalMs = 1_000 / plan.requestsPerSecond;
  const requestsTotal = Math.max(1, Math.round(plan.durationMs / intervalMs));
  const latencies = new LatencyHistogram();
  const state: LoopState = { dueCount: 0, begunCount: 0, inFlight: 0, elapsedMs: 0, latencies };
  const startedMs = performance.now();
  let isStopped = false;
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));

  const beginDue = () => {
    state.elapsedMs = performance.now() - startedMs;
    isStopped ||= state.elapsedMs >= plan.durationMs;
    const due = isStopped ? state.dueCount : Math.floor(state.elapsedMs / intervalMs) + 1;
    state.dueCount = Math.min(requestsTotal, due);
    while (!isStopped && state.inFlight < plan.inFlightMax && state.begunCount < state.dueCount) {
      void begin(state.begunCount++);
    }
    const isOver = isStopped || state.begunCount === requestsTotal;
    if (isOver && state.inFlight === 0) finish();
  };
  const finish = () => {
    clearInterval(timer);
    end();
  };
  const begin = async (index: number) => {
    state.inFlight += 1;
    const outcome = await send(index);
    state.inFlight -= 1;
    if (outcome.result === "acknowledged") {
      latencies.recordMs(performance.now() - startedMs - index * intervalMs);
    }
    onOutcome(index, outcome);
    beginDue();
  };

  const timer = setInterval(beginDue, 1);
  beginDue();
  return { state, ended, stop: () => void (isStopped = true) };
}
