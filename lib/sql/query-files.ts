// The files of one query, under the names by which the engine will know them.
//
// A file that two references of a table read is one file; so is the tail of a table.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { DataFile, TimeRangeMs } from "#lib/catalog/types.ts";
import type { TableContent } from "./consistent-read.ts";
import type { FileSource } from "./engine.ts";
import type { ReadAhead } from "./read-ahead.ts";
import type { ScanFile } from "./scan-sql.ts";
import { tailFile } from "./tail-file.ts";

export class QueryFiles {
  readonly #wishes = new Map<string, { file: DataFile; time: TimeRangeMs; name: string }>();
  readonly #tails = new Map<string, ScanFile>();
  readonly #sources = new Map<string, FileSource>();
  tailRows = 0;

  /** What a reference reads: `schema` has only the columns that the query needs. */
  add(schema: TableSchema, content: TableContent, time: TimeRangeMs, database: string): ScanFile[] {
    const files = content.files.map((file) => this.#addFile(file, time));
    if (content.tail.length === 0) return files;
    return [...files, this.#addTail(schema, content, database)];
  }

  /** Everything by name, read through `ahead`. */
  open(ahead: ReadAhead, columnNames: ReadonlySet<string> | null): Map<string, FileSource> {
    const sources = new Map(this.#sources);
    for (const { file, time, name } of this.#wishes.values()) {
      sources.set(name, ahead.add(file, { columnNames, time }));
    }
    return sources;
  }

  #addFile(file: DataFile, time: TimeRangeMs): ScanFile {
    const known = this.#wishes.get(file.key);
    const name = known?.name ?? `files/${this.#wishes.size}.parquet`;
    this.#wishes.set(file.key, {
      file,
      name,
      time: known === undefined ? time : union(known.time, time),
    });
    if (this.#wishes.size > LIMITS.filesPerQueryMax) {
      const limit = LIMITS.filesPerQueryMax;
      const message = `the query would read more than ${limit} files; narrow the time range`;
      throw new SluiceError("query_too_large", message, { limit });
    }
    return { name, types: new Map(file.columns.map((column) => [column.name, column.type])) };
  }

  #addTail(schema: TableSchema, { tail }: TableContent, database: string): ScanFile {
    const batches = tail.map(({ header }) => `${header.segmentId}/${header.sequence}`);
    const identity = JSON.stringify([database, schema.tableId, ...batches]);
    const known = this.#tails.get(identity);
    if (known !== undefined) return known;
    const { bytes, types } = tailFile(schema, tail);
    const name = `tails/${this.#tails.size}.parquet`;
    const read = (offset: number, byteLength: number) =>
      bytes.subarray(offset, offset + byteLength);
    this.#sources.set(name, { byteLength: bytes.byteLength, read });
    for (const { header } of tail) this.tailRows += header.rowCount;
    const file = { name, types };
    this.#tails.set(identity, file);
    return file;
  }
}

function union(a: TimeRangeMs, b: TimeRangeMs): TimeRangeMs {
  return {
    minMs: a.minMs === null || b.minMs === null ? null : Math.min(a.minMs, b.minMs),
    maxMs: a.maxMs === null || b.maxMs === null ? null : Math.max(a.maxMs, b.maxMs),
  };
}
