// Events to the rows of their measurement, as one batch like any other.
//
// The columns are always the same, in type too: a batch whose events all lack a value must not
// leave `value` without a type.

import { LIMITS } from "#lib/base/limits.ts";
import { KIND, type ScannedColumn } from "#lib/columnar/kinds.ts";
import { ByteBudget } from "#lib/protocol/cell-writer.ts";
import { compressBatch } from "#lib/protocol/compression.ts";
import { BatchBuilder } from "#lib/protocol/encode-batch.ts";
import { type BatchScan, scanBatch } from "#lib/protocol/scan-batch.ts";
import { EVENTS_MEASUREMENT, type StoredEvent, tagsJson } from "./types.ts";

export interface EventRows {
  readonly scan: BatchScan;
  /** Compressed. */
  readonly bytes: Uint8Array;
}

export function eventRows(events: readonly StoredEvent[]): EventRows {
  const builder = new BatchBuilder(EVENTS_MEASUREMENT, new ByteBudget(LIMITS.gatheredBytesMax));
  for (const [place, { id, seq, type, tags, valueJson, timeUs }] of events.entries()) {
    builder.time.writeInteger(timeUs);
    builder.column("id").writeString(id);
    builder.column("seq").writeInteger(seq);
    builder.column("type").writeString(type);
    builder.column("tags").writeString(tagsJson(tags));
    const value = builder.column("value");
    if (valueJson !== null) value.writeString(valueJson);
    builder.endRows(place);
  }
  const plain = builder.finish();
  const scan = scanBatch(plain);
  const columns = scan.columns.map(asTextIfNull);
  return { scan: { ...scan, columns }, bytes: compressBatch(plain) };
}

function asTextIfNull(column: ScannedColumn): ScannedColumn {
  return column.kinds === 0 ? { ...column, kinds: KIND.text, firstRows: { text: 0 } } : column;
}
