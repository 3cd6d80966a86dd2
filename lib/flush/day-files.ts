// Step 7, continued: rows in order of time become files, one per UTC day, and objects in the lake.
//
// Rows come in chunks, each later than the one before, so one file is open at a time. It is written
// row group by row group; what is held is the encoded file.

import { createHash } from "node:crypto";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { ObjectStore } from "#lib/base/ports.ts";
import { describeFile } from "#lib/catalog/data-file.ts";
import { dataFileKey } from "#lib/catalog/object-keys.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { type DayRange, splitByDay } from "#lib/columnar/split-by-day.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { ENCODER_VERSION, ParquetWriter } from "#lib/parquet/write-file.ts";

export interface FilesOf {
  readonly databaseId: number;
  readonly segmentId: string;
  /** See object-keys.ts. */
  readonly attempt: number;
  readonly schema: TableSchema;
}

interface OpenFile {
  readonly day: string;
  readonly writer: ParquetWriter;
  readonly parts: Uint8Array[];
}

export class DayFiles {
  readonly #of: FilesOf;
  readonly #lake: ObjectStore;
  readonly #files: DataFile[] = [];
  #open: OpenFile | null = null;

  constructor(of: FilesOf, lake: ObjectStore) {
    this.#of = of;
    this.#lake = lake;
  }

  /** Rows sorted by time, none earlier than those added before. */
  async add(table: ColumnTable): Promise<void> {
    for (const range of splitByDay(table)) {
      // Past the cap on files the last one takes all later days, as splitByDay does in one chunk.
      const isLast = this.#files.length + 1 >= LIMITS.partitionsPerSegmentMax;
      if (this.#open !== null && this.#open.day !== range.day && !isLast) await this.#close();
      this.#open ??= openFile(this.#of, range.day, table);
      writeRowGroups(this.#open.writer, table, range);
    }
  }

  /** All files, put to the lake. */
  async finish(): Promise<DataFile[]> {
    await this.#close();
    return this.#files;
  }

  async #close(): Promise<void> {
    if (this.#open === null) return;
    const { day, writer, parts } = this.#open;
    const summary = writer.finish();
    const bytes = concatenate(parts, summary.byteLength);
    this.#open = null;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const { tableId } = this.#of.schema;
    const key = dataFileKey({ ...this.#of, tableId, day, sha256 });
    await putOnce(this.#lake, key, bytes, sha256);
    this.#files.push(describeFile({ key, tableId, day, sha256 }, summary));
  }
}

function openFile({ segmentId, schema }: FilesOf, day: string, table: ColumnTable): OpenFile {
  const keyValues = {
    "sluice.encoder_version": ENCODER_VERSION,
    "sluice.measurement": schema.measurement,
    "sluice.segment_id": segmentId,
  };
  const parts: Uint8Array[] = [];
  const writer = new ParquetWriter(table.columns, { keyValues }, (part) => parts.push(part));
  return { day, writer, parts };
}

/** Of equal size, near the usual one, so that no small remainder makes a row group of its own. */
function writeRowGroups(writer: ParquetWriter, table: ColumnTable, { from, to }: DayRange): void {
  const count = Math.max(1, Math.round((to - from) / LIMITS.rowGroupRows));
  const rowCount = Math.ceil((to - from) / count);
  for (let start = from; start < to; start += rowCount) {
    writer.writeRowGroup(table, start, Math.min(to, start + rowCount));
  }
}

/** Empties `parts` on the way, so that the file is not held twice for longer than needed. */
function concatenate(parts: Uint8Array[], byteLength: number): Uint8Array {
  const whole = new Uint8Array(byteLength);
  let at = 0;
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** The answer of a put may be lost, so what counts is what the store holds under the key. */
async function putOnce(
  lake: ObjectStore,
  key: string,
  bytes: Uint8Array,
  sha256: string,
): Promise<void> {
  let cause: unknown;
  try {
    if (await lake.putIfAbsent(key, bytes, sha256)) return;
  } catch (error) {
    cause = error;
  }
  const stored = await lake.head(key);
  if (stored === null) {
    const message = `object ${key} could not be stored`;
    throw new SluiceError("store_unavailable", message, { key }, { cause });
  }
  if (stored.byteLength !== bytes.byteLength || stored.sha256 !== sha256) {
    const message = `object ${key} exists with other content than its name says`;
    throw new SluiceError("file_checksum_mismatch", message, { key });
  }
}
