// The files of one query, under the names by which the engine will know them.
//
// A file that two references of a table read is one file; so is the tail of a table.

import { LIMITS } from "#lib/base/limits.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { ColumnType } from "#lib/columnar/types.ts";
import type { SnapshotFile } from "#lib/catalog/types.ts";
import { type TableContent, tooManyFiles } from "./consistent-read.ts";
import type { FileSource } from "./engine.ts";
import { plainTimeSource } from "./plain-times.ts";
import type { Sight } from "./pruning.ts";
import type { ReadAhead } from "./read-ahead.ts";
import type { ScanFile } from "./scan-sql.ts";
import { tailFile } from "./tail-file.ts";

interface WantedFile {
  readonly file: SnapshotFile;
  readonly name: string;
  /** What each reference to it sees. */
  readonly sights: Sight[];
  readonly types: ReadonlyMap<string, ColumnType>;
}

export class QueryFiles {
  readonly #wishes = new Map<string, WantedFile>();
  readonly #tails = new Map<string, ScanFile>();
  readonly #sources = new Map<string, FileSource>();
  tailRows = 0;

  /** What a reference reads: `schema` has only the columns that the query needs. */
  add(schema: TableSchema, content: TableContent, sight: Sight, database: string): ScanFile[] {
    const types = typesOf(schema);
    const files = content.files.map((file) => this.#addFile(file, sight, types));
    if (content.tail.length === 0) return files;
    return [...files, this.#addTail(schema, content, database)];
  }

  /** Everything by name, read through `ahead`. */
  open(ahead: ReadAhead, columnNames: ReadonlySet<string> | null): Map<string, FileSource> {
    const sources = new Map(this.#sources);
    for (const { file, name, ...wish } of this.#wishes.values()) {
      const source = ahead.add(file, { ...wish, columnNames });
      sources.set(name, plainTimeSource(source, file.footerByteLength));
    }
    return sources;
  }

  #addFile(file: SnapshotFile, sight: Sight, types: ReadonlyMap<string, ColumnType>): ScanFile {
    let wanted = this.#wishes.get(file.key);
    if (wanted === undefined) {
      const name = `files/${this.#wishes.size}.parquet`;
      wanted = { file, name, sights: [], types };
      this.#wishes.set(file.key, wanted);
    }
    wanted.sights.push(sight);
    if (this.#wishes.size > LIMITS.filesPerQueryMax) throw tooManyFiles();
    return { name: wanted.name, types: storedTypes(file) };
  }

  #addTail(schema: TableSchema, { tail }: TableContent, database: string): ScanFile {
    const batches = tail.map(({ header }) => `${header.segmentId}/${header.sequence}`);
    const identity = JSON.stringify([database, schema.tableId, ...batches]);
    const known = this.#tails.get(identity);
    if (known !== undefined) return known;
    const { bytes, footerByteLength, types } = tailFile(schema, tail);
    const name = `tails/${this.#tails.size}.parquet`;
    const read = (offset: number, byteLength: number) =>
      bytes.subarray(offset, offset + byteLength);
    const source = { byteLength: bytes.byteLength, read };
    this.#sources.set(name, plainTimeSource(source, footerByteLength));
    for (const { header } of tail) this.tailRows += header.rowCount;
    const file = { name, types };
    this.#tails.set(identity, file);
    return file;
  }
}

/** Names in lower case. A column without a type has no values: any type will do to compare. */
function typesOf({ columns }: TableSchema): Map<string, ColumnType> {
  return new Map(columns.map(({ name, type }) => [name.toLowerCase(), type ?? "utf8"]));
}

function storedTypes({ columns }: SnapshotFile): Map<string, ColumnType> {
  return new Map(columns.map(({ name, type }) => [name, type]));
}
