// R2's semantics, asked for through the binding of the pinned workerd: the object store speaks an
// internal protocol of the runtime, so only the runtime itself can say whether it speaks it well.

import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BuiltWorker } from "../../../embedded/built-worker.ts";
import { serveObjects } from "../../../embedded/object-store/server.ts";
import { ObjectStore } from "../../../embedded/object-store/store.ts";
import { OBJECT_SOCKET, STATE_FOLDERS, workerdConfig } from "../../../embedded/workerd-config.ts";
import { WorkerdProcess } from "../../../embedded/workerd-process.ts";
import { mkdirSync } from "node:fs";

const WORKER: BuiltWorker = {
  name: "bucket-worker",
  modules: [
    {
      name: "index.js",
      type: "application/javascript+module",
      path: fileURLToPath(new URL("bucket-worker.js", import.meta.url)),
    },
  ],
  bindings: [{ name: "BUCKET", type: "r2_bucket", bucket_name: "lake" }],
  compatibilityDate: "2026-11-01",
  compatibilityFlags: [],
  sqliteClasses: [],
  queueConsumers: [],
  crons: [],
};

const folder = mkdtempSync(join(tmpdir(), "sluice-binding-"));
const errors: unknown[] = [];
let store: ObjectStore;
let server: Server;
let workerd: WorkerdProcess;
let port: number;

beforeAll(async () => {
  for (const name of STATE_FOLDERS) mkdirSync(join(folder, name));
  store = new ObjectStore(join(folder, "r2"), join(folder, "r2-index"));
  const stores = new Map([["lake", store]]);
  server = await serveObjects(stores, join(folder, OBJECT_SOCKET), (error) => errors.push(error));
  workerd = new WorkerdProcess(folder, workerdConfig([WORKER], new Map()), {});
  port = await workerd.start(0);
});

afterAll(async () => {
  await workerd.stop();
  server.closeAllConnections();
  server.close();
  store.close();
  rmSync(folder, { recursive: true });
});

async function scenario(name: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/${name}`);
  return response.ok ? response.json() : response.text();
}

test("an object comes back with its metadata and checksums", async () => {
  expect(await scenario("roundTrip")).toEqual({
    text: "hello",
    size: 5,
    etagIsMd5: true,
    sameEtag: true,
    sameVersion: true,
    checksums: ["md5", "sha256"],
    contentType: "text/plain",
    cacheExpiry: 5_000_000_000_000,
    custom: { colour: "grün", size: "1" },
    uploadedNow: true,
    missingHead: null,
    missingGet: null,
  });
});

test("an empty object is an object", async () => {
  expect(await scenario("emptyObject")).toEqual({ size: 0, text: "" });
});

test("of eight that create the same key at once, one wins", async () => {
  expect(await scenario("createIfAbsent")).toEqual({
    winners: 1,
    storedIsTheWinners: true,
    again: null,
  });
});

test("of two that replace the same version, one wins; a missing object has no version", async () => {
  expect(await scenario("compareAndSwap")).toEqual({ winners: 1, onMissing: null });
});

test("a second put replaces the first", async () => {
  expect(await scenario("overwrite")).toEqual({ text: "second", listed: 1 });
});

test("a read whose condition fails has metadata and no body", async () => {
  expect(await scenario("conditionalGet")).toEqual({
    failedHasBody: false,
    failedKey: "cond",
    match: true,
    mismatch: false,
    afterEarlier: true,
    afterLater: false,
    beforeEarlier: false,
    beforeLater: true,
  });
});

test("ranges by offset, length, suffix and header; beyond the end is refused", async () => {
  expect(await scenario("ranges")).toEqual({
    offset: ["789", { offset: 7, length: 3 }],
    length: ["012", { offset: 0, length: 3 }],
    both: ["2345", { offset: 2, length: 4 }],
    pastEnd: ["89", { offset: 8, length: 2 }],
    suffix: ["6789", { offset: 6, length: 4 }],
    longSuffix: ["0123456789", { offset: 0, length: 10 }],
    header: ["123", { offset: 1, length: 3 }],
    headerSuffix: ["89", { offset: 8, length: 2 }],
    beyond: "10039",
    size: 10,
  });
});

test("objects of several megabytes, whole, in part, streamed and abandoned half-way", async () => {
  expect(await scenario("large")).toEqual({
    whole: true,
    part: true,
    streamedSize: 9_000_001,
    abandoned: 5,
  });
});

test("lists in the order of UTF-8 bytes, in pages, grouped by a delimiter", async () => {
  const inOrder = ["l/a", "l/b/1", "l/b/2", "l/c/1", "l/d", "l/é", "l/\uffee", "l/😀"];
  expect(await scenario("listing")).toEqual({
    all: inOrder,
    pages: [
      [["l/a"], ["l/b/"]],
      [["l/d"], ["l/c/"]],
      [["l/é", "l/\uffee"], []],
      [["l/😀"], []],
    ],
    startAfter: "l/d",
    included: { key: "l/a" },
    notIncluded: {},
    tooMany: expect.stringMatching(/10022|limit/i),
  });
});

test("removes one, many, and what is not there", async () => {
  expect(await scenario("removing")).toEqual({ left: ["d/3"], gone: null });
});

test("refuses a value that is not what its checksum says, and stores nothing", async () => {
  expect(await scenario("checksums")).toEqual({
    rightMd5: 5,
    rightSha256: 5,
    wrongMd5: "10037",
    wrongSha256: "10037",
    stored: null,
  });
});

test("any key up to 1,024 bytes is kept apart from every other", async () => {
  expect(await scenario("awkwardKeys")).toEqual({
    wrong: [],
    tooLong: "10020",
    hugeMetadata: "10012",
  });
});

test("multipart uploads appear whole, once, or not at all", async () => {
  expect(await scenario("multipart")).toEqual({
    beforeComplete: null,
    size: (5 << 20) + 4,
    etagEnd: "-2",
    custom: { a: "b" },
    tail: "tail",
    head: true,
    twice: "10024",
    wrongPart: "10025",
    tooSmall: "10011",
    afterAbort: "10024",
  });
});

test("none of the above was an error inside the store", () => {
  expect(errors).toEqual([]);
});
