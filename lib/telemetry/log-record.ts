// One thing that was logged, as plain data: what is printed as a JSON line and kept as a row.

export type LogLevel = "debug" | "info" | "warn" | "error";

export type LogFields = Readonly<
  Record<string, string | number | boolean | null | readonly string[]>
>;

export interface LogRecord {
  readonly timeMs: number;
  readonly level: LogLevel;
  /** The component that speaks, e.g. `sluice::query`. */
  readonly target: string;
  readonly message: string;
  readonly fields: LogFields;
  /** Of the work that it was logged in, where it belongs to a trace. */
  readonly traceId: string | null;
  readonly spanId: string | null;
}
