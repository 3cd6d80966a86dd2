// Stands for lib/telemetry/meter.ts in a server that counts nothing (bench/telemetry.ts).

import type { Meter as Real, MetricReport } from "../../lib/telemetry/meter.ts";

export class Meter implements Pick<Real, keyof Real> {
  readonly hasNews = false;

  add(): void {}

  observe(): void {}

  set(): void {}

  /** The supervisor tells of the machine all the same. */
  nextReport(source: string, component: string): MetricReport {
    return { source, component, sequence: 1, differences: {}, gauges: {} };
  }

  acknowledge(): void {}
}
