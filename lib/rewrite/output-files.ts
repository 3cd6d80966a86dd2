// Row groups in order of time become files of about equal size, and objects in the lake.
//
// A file is sent while it is written, part by part, and hashed on the way: whole it would not fit
// the memory. So its name cannot hold its hash; the caller names it, never twice the same.

import { createHash, type Hash } from "node:crypto";
import type { ObjectStore, PartWriter } from "#lib/base/ports.ts";
import { releaseBytes } from "#lib/base/release-bytes.ts";
import { describeFile } from "#lib/catalog/data-file.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { timeColumn } from "#lib/columnar/sort.ts";
import { dayOf } from "#lib/columnar/times.ts";
import type { ColumnTable } from "#lib/columnar/types.ts";
import { ParquetWriter } from "#lib/parquet/write-file.ts";
import type { TypedColumn } from "./source-rows.ts";

export interface OutputNames {
  readonly tableId: number;
  /** A key that no object has had, by the UTC day of the first row and the number of the file. */
  keyOf(day: string, fileNumber: number): string;
  /** Texts for the footers. */
  readonly keyValues: Readonly<Record<string, string>>;
}

interface OpenFile {
  readonly key: string;
  readonly day: string;
  readonly writer: ParquetWriter;
  readonly object: PartWriter;
  readonly hash: Hash;
  /** Written and not sent. */
  readonly parts: Uint8Array[];
  byteLength: number;
}

export class OutputFiles {
  readonly #names: OutputNames;
  readonly #columns: readonly TypedColumn[];
  readonly #lake: Pick<ObjectStore, "createInParts">;
  readonly #fileBytes: number;
  readonly #files: DataFile[] = [];
  #open: OpenFile | null = null;

  /** `fileBytes`: a file that has so many ends. */
  constructor(
    names: OutputNames,
    columns: readonly TypedColumn[],
    lake: Pick<ObjectStore, "createInParts">,
    fileBytes: number,
  ) {
    this.#names = names;
    this.#columns = columns;
    this.#lake = lake;
    this.#fileBytes = fileBytes;
  }

  /** One row group, none of its rows earlier than those before. */
  async add(table: ColumnTable): Promise<void> {
    this.#open ??= this.#begin(dayOf(timeColumn(table).words, 0));
    this.#open.writer.writeRowGroup(table, 0, table.rowCount);
    await send(this.#open);
    if (this.#open.byteLength >= this.#fileBytes) await this.#close();
  }

  /** All files, stored. */
  async finish(): Promise<DataFile[]> {
    await this.#close();
    return this.#files;
  }

  /** Gives up the file at hand; those before it stay, in no catalog. */
  async abort(): Promise<void> {
    await this.#open?.object.abort();
  }

  #begin(day: string): OpenFile {
    const key = this.#names.keyOf(day, this.#files.length);
    const parts: Uint8Array[] = [];
    const { keyValues } = this.#names;
    const writer = new ParquetWriter(this.#columns, { keyValues }, (part) => parts.push(part));
    const object = this.#lake.createInParts(key);
    return { key, day, writer, object, hash: createHash("sha256"), parts, byteLength: 0 };
  }

  async #close(): Promise<void> {
    if (this.#open === null) return;
    const file = this.#open;
    const summary = file.writer.finish();
    await send(file);
    await file.object.finish();
    this.#open = null;
    const { key, day } = file;
    const sha256 = file.hash.digest("hex");
    this.#files.push(describeFile({ key, tableId: this.#names.tableId, day, sha256 }, summary));
  }
}

async function send(file: OpenFile): Promise<void> {
  for (let part = file.parts.shift(); part !== undefined; part = file.parts.shift()) {
    file.hash.update(part);
    file.byteLength += part.byteLength;
    await file.object.write(part);
    releaseBytes(part);
  }
}
