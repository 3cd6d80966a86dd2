// One bucket: objects as files, an index beside them, with R2's semantics.
//
// The order that makes it safe: bytes to a staged file, flush, name, flush the folder, row in the
// index (conditions checked in the same step), and only then the answer. Removing goes the other
// way round: first the row, then the file. So a row always has its file; a file without a row is a
// leftover of a crash, which `sweep` removes.

import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, rmSync, unlinkSync } from "node:fs";
import { open, opendir } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join, relative } from "node:path";
import { conditionsHold, rangeOf } from "./conditions.ts";
import { publishFile, removeFiles, stageFile } from "./durable-files.ts";
import type { StagedFile } from "./durable-files.ts";
import { keyToPath, pathOfId } from "./file-names.ts";
import { ObjectIndex } from "./object-index.ts";
import type { Part, StoredRecord } from "./object-index.ts";
import { CHECKSUM_ALGORITHMS, R2Error } from "./protocol.ts";
import type {
  ByteRange,
  CompleteUploadRequest,
  Conditions,
  CreateUploadRequest,
  CustomFields,
  GetRequest,
  HttpFields,
  ListPage,
  ListRequest,
  ObjectRecord,
  PutRequest,
  UploadPartRequest,
} from "./protocol.ts";

const KEY_BYTES_MAX = 1024;
const METADATA_BYTES_MAX = 8192;
const PART_BYTES_MIN = 5 << 20;
const UPLOAD_AGE_MS_MAX = 7 * 24 * 3_600_000;

export interface OpenedObject {
  readonly record: ObjectRecord;
  readonly range: ByteRange;
  /** The caller closes it. */
  readonly file: FileHandle;
}

export class ObjectStore {
  readonly #folder: string;
  readonly #staging: string;
  readonly #index: ObjectIndex;
  /** Files that have their name but not yet their row: `sweep` must leave them alone. */
  readonly #uncommitted = new Set<string>();

  /** Objects go to `folder`; the index and staged files to `indexFolder`, on the same disk. */
  constructor(folder: string, indexFolder: string) {
    this.#folder = folder;
    this.#staging = join(indexFolder, "staging");
    mkdirSync(folder, { recursive: true });
    rmSync(this.#staging, { recursive: true, force: true });
    mkdirSync(this.#staging, { recursive: true });
    this.#index = new ObjectIndex(join(indexFolder, "index.sqlite"));
  }

  close(): void {
    this.#index.close();
  }

  head(key: string): ObjectRecord {
    const record = this.#index.find(key);
    if (record === undefined) throw new R2Error("key_unknown");
    return record;
  }

  async get(request: GetRequest): Promise<OpenedObject> {
    for (let missing: string | undefined; ;) {
      const record = this.#index.find(request.object);
      if (record === undefined) throw new R2Error("key_unknown");
      if (!conditionsHold(request.onlyIf, record)) throw new R2Error("condition_failed", record);
      const range = rangeOf(request, record.byteLength);
      try {
        return { record, range, file: await open(join(this.#folder, record.file)) };
      } catch (error) {
        // Replaced or removed between the index and the disk: look again, but only once per file.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        if (missing === record.file) throw error;
        missing = record.file;
      }
    }
  }

  async put(request: PutRequest, value: AsyncIterable<Buffer>): Promise<ObjectRecord> {
    assertStorable(request.object, request);
    const wanted = CHECKSUM_ALGORITHMS.filter((name) => request[name] !== undefined);
    const staged = await this.#stage(value, [...new Set(["md5" as const, ...wanted])]);
    try {
      for (const name of wanted) {
        const encoding = name === "md5" ? "base64" : "hex";
        const expected = Buffer.from(request[name]!, encoding).toString("hex");
        if (staged.checksums[name] !== expected) throw new R2Error("checksum_mismatch");
      }
      const { object: key, httpFields = {}, customFields = [], onlyIf } = request;
      const { checksums } = staged;
      const object = { key, httpFields, customFields, etag: checksums.md5!, checksums };
      return await this.#commit(staged, object, onlyIf);
    } finally {
      await removeFiles("", [staged.path]);
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    await removeFiles(this.#folder, this.#index.remove(keys));
  }

  list(request: ListRequest): ListPage {
    return this.#index.list(request);
  }

  createUpload(request: CreateUploadRequest): string {
    assertStorable(request.object, request);
    const { object: key, httpFields = {}, customFields = [] } = request;
    const id = randomUUID();
    this.#index.createUpload(id, { key, httpFields, customFields }, Date.now());
    return id;
  }

  /** Returns the part's etag. */
  async uploadPart(request: UploadPartRequest, value: AsyncIterable<Buffer>): Promise<string> {
    const { uploadId, object, partNumber: number } = request;
    const staged = await this.#stage(value, ["md5"]);
    try {
      const file = await this.#publish(staged, null);
      const etag = staged.checksums.md5!;
      try {
        if (this.#index.findUpload(uploadId, object) === undefined) {
          throw new R2Error("upload_unknown");
        }
        const part = { number, file, byteLength: staged.byteLength, etag };
        await removeFiles(this.#folder, this.#index.putPart(uploadId, part));
      } finally {
        await this.#settle(file);
      }
      return etag;
    } finally {
      await removeFiles("", [staged.path]);
    }
  }

  async completeUpload(request: CompleteUploadRequest): Promise<ObjectRecord> {
    const { uploadId } = request;
    const upload = this.#index.findUpload(uploadId, request.object);
    if (upload === undefined) throw new R2Error("upload_unknown");
    const parts = chosenParts(request, this.#index.parts(uploadId));
    const staged = await this.#stage(this.#readParts(parts), []);
    try {
      const digests = Buffer.from(parts.map((part) => part.etag).join(""), "hex");
      const etag = `${createHash("md5").update(digests).digest("hex")}-${parts.length}`;
      const object = { ...upload, etag, checksums: {} };
      return await this.#commit(staged, object, undefined, uploadId);
    } finally {
      await removeFiles("", [staged.path]);
    }
  }

  async abortUpload(id: string): Promise<void> {
    const files = this.#index.transact(() => this.#index.removeUpload(id));
    await removeFiles(this.#folder, files);
  }

  /** Removes what crashes left behind and uploads that nobody finished. Safe beside other calls. */
  async sweep(): Promise<void> {
    for (const id of this.#index.uploadsBefore(Date.now() - UPLOAD_AGE_MS_MAX)) {
      await this.abortUpload(id);
    }
    for await (const entry of await opendir(this.#folder, { recursive: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const file = relative(this.#folder, path);
      // No await between the look and the removal, or a put could commit the file in between.
      if (!this.#uncommitted.has(file) && !this.#index.isReferenced(file)) unlinkSync(path);
    }
  }

  #stage(
    value: AsyncIterable<Buffer>,
    algorithms: Parameters<typeof stageFile>[2],
  ): Promise<StagedFile> {
    return stageFile(this.#staging, value, algorithms);
  }

  /** Names the file and writes its row; the row decides whether the conditions still hold. */
  async #commit(
    staged: StagedFile,
    object: Omit<ObjectRecord, "version" | "byteLength" | "uploadedMs">,
    onlyIf: Conditions | undefined,
    uploadId?: string,
  ): Promise<ObjectRecord> {
    const file = await this.#publish(staged, keyToPath(object.key));
    try {
      const record: StoredRecord = {
        ...object,
        file,
        version: randomUUID(),
        byteLength: staged.byteLength,
        uploadedMs: Date.now(),
      };
      const unused = this.#index.transact(() => {
        const replaced = this.#index.find(object.key);
        if (!conditionsHold(onlyIf, replaced)) throw new R2Error("condition_failed");
        if (uploadId !== undefined && !this.#index.findUpload(uploadId, object.key)) {
          throw new R2Error("upload_unknown");
        }
        this.#index.put(record);
        const parts = uploadId === undefined ? [] : this.#index.removeUpload(uploadId);
        return replaced === undefined ? parts : [replaced.file, ...parts];
      });
      await removeFiles(this.#folder, unused);
      return record;
    } finally {
      await this.#settle(file);
    }
  }

  /** Gives the staged file its name: the wanted one, or a random one where that is taken. */
  async #publish(staged: StagedFile, wanted: string | null): Promise<string> {
    for (const file of [wanted, pathOfId(randomUUID())]) {
      if (file === null || this.#uncommitted.has(file)) continue;
      this.#uncommitted.add(file);
      if (await publishFile(staged.path, this.#folder, file)) return file;
      this.#uncommitted.delete(file);
    }
    throw new Error(`no name could be had for ${staged.path}`);
  }

  /** The file has its row now, or it never will. */
  async #settle(file: string): Promise<void> {
    this.#uncommitted.delete(file);
    if (!this.#index.isReferenced(file)) await removeFiles(this.#folder, [file]);
  }

  async *#readParts(parts: readonly Part[]): AsyncGenerator<Buffer> {
    for (const part of parts) {
      const handle = await open(join(this.#folder, part.file));
      yield* handle.createReadStream() as AsyncIterable<Buffer>;
    }
  }
}

function assertStorable(
  key: string,
  fields: { httpFields?: HttpFields; customFields?: CustomFields },
): void {
  if (key === "" || Buffer.byteLength(key) > KEY_BYTES_MAX) throw new R2Error("key_invalid");
  const text = JSON.stringify([fields.httpFields ?? {}, fields.customFields ?? []]);
  if (Buffer.byteLength(text) > METADATA_BYTES_MAX) throw new R2Error("metadata_too_large");
}

/** The uploaded parts that the caller names, in order. */
function chosenParts(request: CompleteUploadRequest, uploaded: readonly Part[]): Part[] {
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  const chosen = [...request.parts]
    .sort((a, b) => a.part - b.part)
    .map(({ part: number, etag }) => {
      const part = byNumber.get(number);
      if (part === undefined || part.etag !== etag) throw new R2Error("part_unknown");
      return part;
    });
  const tooSmall = chosen.slice(0, -1).some((part) => part.byteLength < PART_BYTES_MIN);
  if (tooSmall) throw new R2Error("part_too_small");
  return chosen;
}
