// Rows of our own (events, spans, log records, samples) to one batch like any other.
//
// Their columns are always the same, in type too: one that happens to have no value in this batch
// is told as text, or the first batch would leave it without a type.

import { LIMITS } from "#lib/base/limits.ts";
import { KIND, type ScannedColumn } from "#lib/columnar/kinds.ts";
import { ByteBudget } from "./cell-writer.ts";
import { compressBatch } from "./compression.ts";
import { BatchBuilder } from "./encode-batch.ts";
import { type BatchScan, scanBatch } from "./scan-batch.ts";

export interface OwnBatch {
  readonly scan: BatchScan;
  /** Compressed. */
  readonly bytes: Uint8Array;
}

/** At least one item; `write` gives the builder the cells of one row, its time among them. */
export function ownBatch<Item>(
  measurement: string,
  items: readonly Item[],
  write: (builder: BatchBuilder, item: Item) => void,
): OwnBatch {
  const builder = new BatchBuilder(measurement, new ByteBudget(LIMITS.gatheredBytesMax));
  for (const [place, item] of items.entries()) {
    write(builder, item);
    builder.endRows(place);
  }
  const plain = builder.finish();
  const scan = scanBatch(plain);
  return {
    scan: { ...scan, columns: scan.columns.map(asTextIfNull) },
    bytes: compressBatch(plain),
  };
}

function asTextIfNull(column: ScannedColumn): ScannedColumn {
  return column.kinds === 0 ? { ...column, kinds: KIND.text, firstRows: { text: 0 } } : column;
}
