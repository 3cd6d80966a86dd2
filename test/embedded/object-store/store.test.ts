import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve, sep } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { keyToPath, pathOfId } from "../../../embedded/object-store/file-names.ts";
import { ObjectStore } from "../../../embedded/object-store/store.ts";

const FC = { numRuns: Number(process.env["FC_RUNS"] ?? 300), seed: seedOfRun() };

let root: string;
let store: ObjectStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-store-"));
  store = openStore();
});

afterEach(() => {
  store.close();
  rmSync(root, { recursive: true });
});

function openStore(): ObjectStore {
  return new ObjectStore(join(root, "r2"), join(root, "index"));
}

function put(key: string, value: string): Promise<unknown> {
  return store.put({ method: "put", object: key }, bytesOf(value));
}

async function* bytesOf(...chunks: string[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function* failingAfter(chunk: string): AsyncGenerator<Buffer> {
  yield Buffer.from(chunk);
  throw new Error("the sender went away");
}

async function read(key: string): Promise<string> {
  const { file } = await store.get({ method: "get", object: key });
  try {
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, folder).length + 1))
    .sort();
}

describe("files", () => {
  test("an object is a plain file where its key says", async () => {
    await put("db/1/day=2026-11-21/a.parquet", "columns");
    const path = join(root, "r2/db/1/day=2026-11-21/a.parquet");
    expect(readFileSync(path, "utf8")).toBe("columns");
    expect(filesOf("index/staging")).toEqual([]);
  });

  test("a key that is also the folder of another is kept elsewhere", async () => {
    await put("a/b", "inner");
    await put("a", "outer");
    await put("c", "outer");
    await put("c/d", "inner");
    expect([await read("a"), await read("a/b")]).toEqual(["outer", "inner"]);
    expect([await read("c"), await read("c/d")]).toEqual(["outer", "inner"]);
  });

  test("replacing and removing leave no file behind", async () => {
    await put("k", "one");
    await put("k", "two");
    expect(await read("k")).toBe("two");
    expect(filesOf("r2")).toHaveLength(1);
    await store.remove(["k"]);
    expect(filesOf("r2")).toEqual([]);
  });

  test("a refused or broken put leaves no file behind", async () => {
    await put("k", "kept");
    const onlyIf = { etagDoesNotMatch: [{ type: "wildcard" as const }] };
    const refused = store.put({ method: "put", object: "k", onlyIf }, bytesOf("lost"));
    await expect(refused).rejects.toThrow("pre-conditions");
    const broken = store.put({ method: "put", object: "b" }, failingAfter("half"));
    await expect(broken).rejects.toThrow("went away");
    expect(filesOf("r2")).toEqual(["k"]);
    expect(filesOf("index/staging")).toEqual([]);
    expect(await read("k")).toBe("kept");
  });
});

describe("after a crash", () => {
  test("what was stored is there, what was left aside is removed", async () => {
    await put("a/kept", "kept");
    store.close();
    writeFileSync(join(root, "index/staging/half"), "half a value");
    mkdirSync(join(root, "r2/db"));
    writeFileSync(join(root, "r2/db/named-without-row"), "never acknowledged");
    store = openStore();
    expect(filesOf("index/staging")).toEqual([]);
    await store.sweep();
    expect(filesOf("r2")).toEqual(["a/kept"]);
    expect(await read("a/kept")).toBe("kept");
  });

  test("a leftover under a key's name is not taken for the object", async () => {
    writeFileSync(join(root, "r2/k"), "leftover");
    expect(() => store.head("k")).toThrow("does not exist");
    await put("k", "real");
    await store.sweep();
    expect(await read("k")).toBe("real");
    expect(filesOf("r2")).toHaveLength(1);
  });

  test("sweeping beside puts removes none of them", async () => {
    const keys = Array.from({ length: 60 }, (_, i) => `s/${i % 6}/${i}`);
    const puts = keys.map((key) => put(key, key));
    for (let i = 0; i < 5; i++) await store.sweep();
    await Promise.all(puts);
    await store.sweep();
    expect(await Promise.all(keys.map(read))).toEqual(keys);
  });

  test("an unfinished upload keeps its parts", async () => {
    const uploadId = store.createUpload({ method: "createMultipartUpload", object: "m" });
    const request = { method: "uploadPart", object: "m", uploadId, partNumber: 1 } as const;
    const etag = await store.uploadPart(request, bytesOf("pa", "rt"));
    store.close();
    store = openStore();
    await store.sweep();
    const parts = [{ part: 1, etag }];
    await store.completeUpload({ method: "completeMultipartUpload", object: "m", uploadId, parts });
    expect(await read("m")).toBe("part");
    expect(filesOf("r2")).toEqual(["m"]);
  });

  test("an upload that nobody finished for a week is removed with its parts", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const uploadId = store.createUpload({ method: "createMultipartUpload", object: "m" });
      const request = { method: "uploadPart", object: "m", uploadId, partNumber: 1 } as const;
      await store.uploadPart(request, bytesOf("part"));
      vi.advanceTimersByTime(8 * 24 * 3_600_000);
      store.close();
      store = openStore();
      await store.sweep();
      expect(filesOf("r2")).toEqual([]);
      const late = store.uploadPart(request, bytesOf("part"));
      await expect(late).rejects.toThrow("upload does not exist");
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("file names", () => {
  const key = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 80 }),
    fc
      .array(fc.constantFrom("..", ".", "/", "~", "%", "a", "2E"), { minLength: 1 })
      .map((parts) => parts.join("")),
  );

  test("a key's path never leaves the folder, nor meets a name made from an id", () => {
    fc.assert(
      fc.property(key, (text) => {
        const path = keyToPath(text);
        if (path === null) return;
        expect(resolve("/bucket", path).startsWith(`/bucket${sep}`)).toBe(true);
        expect(resolve("/bucket", path)).toBe(`/bucket/${path}`);
        expect(path.startsWith(pathOfId(""))).toBe(false);
      }),
      FC,
    );
  });

  test("two keys have two paths", () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        fc.pre(one !== other && keyToPath(one) !== null);
        expect(keyToPath(one)).not.toBe(keyToPath(other));
      }),
      FC,
    );
  });
});

function seedOfRun(): number {
  return Number(process.env["FC_SEED"] ?? Date.now() % 2 ** 31);
}
