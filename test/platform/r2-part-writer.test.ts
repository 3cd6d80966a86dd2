// Large objects through the R2 binding of the pinned workerd, onto the local object store.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BuiltWorker } from "../../embedded/built-worker.ts";
import { serveObjects } from "../../embedded/object-store/server.ts";
import { ObjectStore } from "../../embedded/object-store/store.ts";
import { ROOT } from "../../embedded/worker-configs.ts";
import { OBJECT_SOCKET, STATE_FOLDERS, workerdConfig } from "../../embedded/workerd-config.ts";
import { WorkerdProcess } from "../../embedded/workerd-process.ts";

/** What runs in the test's Worker beside itself: our own files, their types taken away. */
const SOURCES = ["platform/r2-part-writer.ts", "lib/base/errors.ts", "lib/base/limits.ts"];

const folder = mkdtempSync(join(tmpdir(), "sluice-parts-"));
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
  workerd = new WorkerdProcess(folder, workerdConfig([builtWorker()], new Map()), {});
  port = await workerd.start(0);
});

afterAll(async () => {
  await workerd.stop();
  server.closeAllConnections();
  server.close();
  store.close();
  rmSync(folder, { recursive: true });
});

function builtWorker(): BuiltWorker {
  const type = "application/javascript+module";
  const index = fileURLToPath(new URL("part-writer-worker.js", import.meta.url));
  const modules = SOURCES.map((name) => {
    const path = join(folder, "modules", name);
    mkdirSync(dirname(path), { recursive: true });
    const stripped = stripTypeScriptTypes(readFileSync(join(ROOT, name), "utf8"));
    writeFileSync(path, stripped.replaceAll('from "#', 'from "/'));
    return { name, type, path };
  });
  return {
    name: "part-writer-worker",
    modules: [{ name: "index.js", type, path: index }, ...modules],
    bindings: [{ name: "BUCKET", type: "r2_bucket", bucket_name: "lake" }],
    compatibilityDate: "2026-11-01",
    compatibilityFlags: [],
    sqliteClasses: [],
    queueConsumers: [],
    crons: [],
  };
}

async function scenario(name: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/${name}`);
  return response.ok ? response.json() : response.text();
}

test("objects of every size come back whole, from one put or from parts", async () => {
  const part = 5 << 20;
  expect(await scenario("sizes")).toEqual({
    0: [true, 0, true, false],
    1: [true, 1, true, false],
    [part]: [true, part, true, false],
    [part + 1]: [true, part + 1, true, true],
    [3 * part]: [true, 3 * part, true, true],
    17_000_003: [true, 17_000_003, true, true],
  });
});

test("an object that is given up was never there", async () => {
  expect(await scenario("aborted")).toBe(0);
});

test("a store that refuses is told as ours", async () => {
  expect(await scenario("refused")).toEqual(["store_unavailable", true]);
});

test("none of the above was an error inside the store", () => {
  expect(errors).toEqual([]);
});
