// The events of events.ts as a table, decoded as a flush decodes them.

import type { ColumnTable } from "#lib/columnar/types.ts";
import { TableBuilder } from "#lib/protocol/table-builder.ts";
import { encodeColumns } from "../clients/client/encode-columns.ts";
import { type Beginning, generateBatches } from "./events.ts";

export const EVENT_COLUMNS = [
  { name: "time", type: "timestamp" },
  { name: "event_type", type: "utf8" },
  { name: "event_category", type: "utf8" },
  { name: "severity", type: "utf8" },
  { name: "source", type: "utf8" },
  { name: "environment", type: "utf8" },
  { name: "user_id", type: "utf8" },
  { name: "resource_id", type: "utf8" },
  { name: "metadata", type: "utf8" },
  { name: "duration_ms", type: "int64" },
  { name: "success", type: "bool" },
  { name: "amount", type: "float64" },
] as const;

/** Sorted by time. */
export function eventTable(batchCount: number, beginning?: Beginning): ColumnTable {
  const builder = new TableBuilder(EVENT_COLUMNS);
  for (const columns of generateBatches(batchCount, beginning)) {
    builder.append(encodeColumns("system_events", columns), 0);
  }
  return builder.finish();
}
