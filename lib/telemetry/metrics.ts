// All metrics, one group per component of the system. docs/metrics.md is generated from here.

import type { Metric } from "./metric.ts";
import * as buffer from "./metrics/buffer.ts";
import * as catalog from "./metrics/catalog.ts";
import * as events from "./metrics/events.ts";
import * as flush from "./metrics/flush.ts";
import * as http from "./metrics/http.ts";
import * as ingest from "./metrics/ingest.ts";
import * as lake from "./metrics/lake.ts";
import * as query from "./metrics/query.ts";
import * as runtime from "./metrics/runtime.ts";
import * as upkeep from "./metrics/upkeep.ts";

export interface MetricGroup {
  readonly name: string;
  readonly metrics: readonly Metric[];
}

export const METRICS: readonly MetricGroup[] = Object.entries({
  http,
  ingest,
  buffer,
  flush,
  catalog,
  query,
  upkeep,
  lake,
  events,
  runtime,
}).map(([name, metrics]) => ({ name, metrics: Object.values(metrics) }));
