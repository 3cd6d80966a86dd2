// Where records go and which are taken.
//
// Everything is on until it is switched off. Sampling loses records on purpose and evenly: what is
// thrown away by it, and what for lack of memory, is counted apart (telemetry.ts, stats).

import type { Place } from "./backend.ts";

export interface RecordingOptions {
  readonly enableEvents?: boolean;
  readonly enableMetrics?: boolean;
  readonly enableTraces?: boolean;
  /**
   * 0 to 1: the share of traces of which spans and events are kept, decided by the trace's id, so
   * that all processes keep the same ones. Metrics are not touched: their sums must stay right.
   */
  readonly samplingRate?: number;
  /** Metric name → 0 to 1: the share of its values that is kept, by chance. */
  readonly metricSamplingRates?: Readonly<Record<string, number>>;
  /** What waits is written when it is so many records, or so old. */
  readonly batchRowsMax?: number;
  readonly batchAgeMaxMs?: number;
  /** Records that wait or are being written; beyond it new ones are dropped and counted. */
  readonly memoryBytesMax?: number;
  /** Hears of every batch that was lost, and once of each bout of drops. Default: a warning. */
  readonly onError?: (error: Error) => void;
}

export interface SqliteOptions extends RecordingOptions {
  /** Made when missing; `:memory:` is for tests. */
  readonly dbPath: string;
}

export interface SluiceOptions extends RecordingOptions {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string;
  readonly database?: string;
}

export type TelemetryConfig = Readonly<Required<RecordingOptions> & { place: Place }>;

export const TelemetryConfig = {
  /** One SQLite file. Node only. */
  createSqlite({ dbPath, ...options }: SqliteOptions): TelemetryConfig {
    return withDefaults({ kind: "sqlite", dbPath }, options);
  },

  /** A Sluice server. The token needs `read` and `write` on the database. */
  createSluice({ url, token, database = "default", ...options }: SluiceOptions): TelemetryConfig {
    return withDefaults({ kind: "sluice", url, token, database }, options);
  },

  /** Throws: there is no such back-end. A server for many processes is Sluice itself. */
  createPostgresql(_options?: unknown): never {
    throw new Error("telemetry is not kept in PostgreSQL; use TelemetryConfig.createSluice");
  },

  /** Takes nothing, answers nothing: what is there before anything was configured. */
  createNoop(): TelemetryConfig {
    const off = { enableEvents: false, enableMetrics: false, enableTraces: false };
    return withDefaults({ kind: "nowhere" }, off);
  },
};

function withDefaults(place: Place, options: RecordingOptions): TelemetryConfig {
  const { samplingRate = 1, metricSamplingRates = {} } = options;
  checkRate("samplingRate", samplingRate);
  for (const [name, rate] of Object.entries(metricSamplingRates)) {
    checkRate(`metricSamplingRates.${name}`, rate);
  }
  return {
    place,
    enableEvents: options.enableEvents ?? true,
    enableMetrics: options.enableMetrics ?? true,
    enableTraces: options.enableTraces ?? true,
    samplingRate,
    metricSamplingRates,
    batchRowsMax: positive("batchRowsMax", options.batchRowsMax ?? 1_000),
    batchAgeMaxMs: positive("batchAgeMaxMs", options.batchAgeMaxMs ?? 1_000),
    memoryBytesMax: positive("memoryBytesMax", options.memoryBytesMax ?? 32_000_000),
    onError: options.onError ?? ((error) => console.warn(error)),
  };
}

function checkRate(name: string, rate: number): void {
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`${name} must be from 0 to 1, not ${rate}`);
}

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(`${name} must be more than 0, not ${value}`);
}
