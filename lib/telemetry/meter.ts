// What one isolate has counted and not yet told.
//
// Counters of single isolates must never be read as if they were those of one process: Prometheus
// would see one counter jump between the values of many. So isolates count differences, and send
// them, numbered, to one place that adds them up (hub.ts).
//
// A report that is under way keeps its number and its content until it is known to have arrived;
// sent again it changes nothing. What is counted meanwhile goes into the next one. Lost is only
// what an isolate counted in its last second before it was killed.

import { LIMITS } from "#lib/base/limits.ts";
import type { Metric } from "./metric.ts";
import { type SeriesValue, SeriesTable } from "./series.ts";

export interface MetricReport {
  /** Made at random by the isolate when it starts. */
  readonly source: string;
  readonly component: string;
  /** From 1 on, without gaps. */
  readonly sequence: number;
  /** Since the report before: metric's name to series. */
  readonly differences: Readonly<Record<string, readonly SeriesValue[]>>;
  /** As they are now. */
  readonly gauges: Readonly<Record<string, readonly SeriesValue[]>>;
}

export class Meter {
  #counted = new SeriesTable(LIMITS.metricSeriesMax);
  readonly #gauges = new SeriesTable(LIMITS.metricSeriesMax);
  #sequence = 0;
  #unacknowledged: MetricReport | null = null;

  add<Label extends string>(metric: Metric<Label>, by: number, ...labels: string[]): void {
    if (by !== 0) this.#counted.add(metric, labels, by);
  }

  observe<Label extends string>(metric: Metric<Label>, value: number, ...labels: string[]): void {
    this.#counted.observe(metric, labels, value);
  }

  set<Label extends string>(metric: Metric<Label>, value: number, ...labels: string[]): void {
    this.#gauges.set(metric, labels, value);
  }

  get hasNews(): boolean {
    return this.#unacknowledged !== null || !this.#counted.isEmpty;
  }

  /** The report to send now: the one that was never acknowledged, or else what is new. */
  nextReport(source: string, component: string): MetricReport {
    if (this.#unacknowledged !== null) return this.#unacknowledged;
    this.#sequence++;
    this.#unacknowledged = {
      source,
      component,
      sequence: this.#sequence,
      differences: this.#counted.snapshot(),
      gauges: this.#gauges.snapshot(),
    };
    this.#counted = new SeriesTable(LIMITS.metricSeriesMax);
    return this.#unacknowledged;
  }

  acknowledge(sequence: number): void {
    if (this.#unacknowledged?.sequence === sequence) this.#unacknowledged = null;
  }
}
