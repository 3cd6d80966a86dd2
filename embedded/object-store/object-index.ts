// What is stored: one SQLite database per bucket, one row per object.
//
// A row is the commit point of an object: its file is on disk before the row says so, and a file
// without a row is a leftover. Every change is fsynced before it returns (synchronous=FULL).

import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { R2Error } from "./protocol.ts";
import type { CustomFields, HttpFields, ListPage, ListRequest, ObjectRecord } from "./protocol.ts";

/** An object and where its bytes are, relative to the bucket's folder. */
export interface StoredRecord extends ObjectRecord {
  readonly file: string;
}
export interface Upload {
  readonly key: string;
  readonly httpFields: HttpFields;
  readonly customFields: CustomFields;
}
export interface Part {
  readonly number: number;
  readonly file: string;
  readonly byteLength: number;
  readonly etag: string;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS objects (
    key TEXT PRIMARY KEY,
    file TEXT NOT NULL UNIQUE,
    version TEXT NOT NULL,
    byteLength INTEGER NOT NULL,
    etag TEXT NOT NULL,
    uploadedMs INTEGER NOT NULL,
    httpFields TEXT NOT NULL,
    customFields TEXT NOT NULL,
    checksums TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    httpFields TEXT NOT NULL,
    customFields TEXT NOT NULL,
    createdMs INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parts (
    uploadId TEXT NOT NULL,
    number INTEGER NOT NULL,
    file TEXT NOT NULL UNIQUE,
    byteLength INTEGER NOT NULL,
    etag TEXT NOT NULL,
    PRIMARY KEY (uploadId, number)
  ) STRICT, WITHOUT ROWID;
`;

const LIST_LIMIT_MAX = 1000;

export class ObjectIndex {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    this.#db.exec(SCHEMA);
  }

  close(): void {
    this.#db.close();
  }

  transact<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  find(key: string): StoredRecord | undefined {
    const row = this.#prepare("SELECT * FROM objects WHERE key = ?").get(key);
    return row && recordOf(row);
  }

  put(record: StoredRecord): void {
    this.#prepare("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)").run(
      record.key,
      record.file,
      record.version,
      record.byteLength,
      record.etag,
      record.uploadedMs,
      JSON.stringify(record.httpFields),
      JSON.stringify(record.customFields),
      JSON.stringify(record.checksums),
    );
  }

  /** Returns the files that no row names any more. */
  remove(keys: readonly string[]): string[] {
    const statement = this.#prepare("DELETE FROM objects WHERE key = ? RETURNING file");
    return this.transact(() => keys.flatMap((key) => statement.all(key).map(fileOf)));
  }

  /** Keys in the order of their UTF-8 bytes, as R2 lists them. */
  list(request: ListRequest): ListPage {
    const { prefix = "", delimiter = "", limit = LIST_LIMIT_MAX } = request;
    if (!(limit >= 1 && limit <= LIST_LIMIT_MAX)) throw new R2Error("limit_invalid");
    const cursor = Buffer.from(request.cursor ?? "", "base64url").toString();
    const objects: ObjectRecord[] = [];
    const delimitedPrefixes: string[] = [];
    let lastKey = "";
    const rows = this.#prepare(
      "SELECT * FROM objects WHERE key >= ? AND key > ? AND key > ? ORDER BY key",
    ).iterate(prefix, cursor, request.startAfter ?? "");
    for (const row of rows) {
      const record = recordOf(row);
      if (!record.key.startsWith(prefix)) break;
      const end = delimiter === "" ? -1 : record.key.indexOf(delimiter, prefix.length);
      const group = end < 0 ? undefined : record.key.slice(0, end + delimiter.length);
      if (group === undefined || group !== delimitedPrefixes.at(-1)) {
        if (objects.length + delimitedPrefixes.length === limit) {
          const next = Buffer.from(lastKey).toString("base64url");
          return { objects, delimitedPrefixes, cursor: next };
        }
        if (group === undefined) objects.push(record);
        else delimitedPrefixes.push(group);
      }
      lastKey = record.key;
    }
    return { objects, delimitedPrefixes };
  }

  isReferenced(file: string): boolean {
    const sql = "SELECT 1 FROM objects WHERE file = ? UNION ALL SELECT 1 FROM parts WHERE file = ?";
    return this.#prepare(sql).get(file, file) !== undefined;
  }

  createUpload(id: string, upload: Upload, createdMs: number): void {
    const { key, httpFields, customFields } = upload;
    const fields = [JSON.stringify(httpFields), JSON.stringify(customFields)];
    this.#prepare("INSERT INTO uploads VALUES (?, ?, ?, ?, ?)").run(id, key, ...fields, createdMs);
  }

  findUpload(id: string, key: string): Upload | undefined {
    const row = this.#prepare("SELECT * FROM uploads WHERE id = ? AND key = ?").get(id, key);
    return row && { ...fieldsOf(row), key };
  }

  uploadsBefore(createdMs: number): string[] {
    const rows = this.#prepare("SELECT id FROM uploads WHERE createdMs < ?").all(createdMs);
    return rows.map((row) => row.id as string);
  }

  parts(uploadId: string): Part[] {
    const rows = this.#prepare("SELECT * FROM parts WHERE uploadId = ?").all(uploadId);
    return rows as unknown as Part[];
  }

  /** Returns the file of the part that this one replaces. */
  putPart(uploadId: string, part: Part): string[] {
    return this.transact(() => {
      const { number, file, byteLength, etag } = part;
      const replaced = this.#prepare(
        "DELETE FROM parts WHERE uploadId = ? AND number = ? RETURNING file",
      ).all(uploadId, number);
      const insert = this.#prepare("INSERT INTO parts VALUES (?, ?, ?, ?, ?)");
      insert.run(uploadId, number, file, byteLength, etag);
      return replaced.map(fileOf);
    });
  }

  /** Returns the files of its parts. Call inside `transact`. */
  removeUpload(id: string): string[] {
    this.#prepare("DELETE FROM uploads WHERE id = ?").run(id);
    return this.#prepare("DELETE FROM parts WHERE uploadId = ? RETURNING file").all(id).map(fileOf);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

type Row = Record<string, unknown>;

function recordOf(row: Row): StoredRecord {
  const checksums = JSON.parse(row.checksums as string) as StoredRecord["checksums"];
  return { ...(row as unknown as StoredRecord), ...fieldsOf(row), checksums };
}

function fieldsOf(row: Row): { httpFields: HttpFields; customFields: CustomFields } {
  return {
    httpFields: JSON.parse(row.httpFields as string) as HttpFields,
    customFields: JSON.parse(row.customFields as string) as CustomFields,
  };
}

function fileOf(row: Row): string {
  return row.file as string;
}
