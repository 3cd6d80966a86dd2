// The rules of .oxlintrc.json are the architecture, so they are tested: each violation planted here
// must be found, and each neighbour that is allowed must not.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../embedded/worker-configs.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-lint-"));

/** File → lines; a line that ends in `// <rule>` must be found to break that rule. */
const PLANTED: Record<string, string[]> = {
  "lib/base/a.ts": [
    'import { x } from "#lib/columnar/a.ts"; // no-restricted-imports',
    'import { b } from "./b.ts";',
    "export const a = [x, b];",
  ],
  "lib/base/b.ts": [
    "export const b = Date.now(); // no-restricted-properties",
    "export const c = Math.random(); // no-restricted-properties",
    'export const d = (): unknown => fetch("https://example.org"); // no-restricted-globals',
    "export const e = performance; // no-restricted-globals",
  ],
  "lib/columnar/a.ts": ['import { c } from "#lib/base/b.ts";', "export const x = c;"],
  "lib/buffer/a.ts": [
    'import { x } from "#lib/parquet/a.ts"; // no-restricted-imports',
    'import { y } from "../catalog/a.ts"; // no-restricted-imports',
    'import { z } from "#platform/r2.ts"; // no-restricted-imports',
    'import { readFileSync } from "node:fs"; // no-restricted-imports',
    'import { randomUUID } from "node:crypto"; // no-restricted-imports',
    'import { DurableObject } from "cloudflare:workers"; // no-restricted-imports',
    'import { gunzipSync } from "node:zlib";',
    'import { createHash } from "node:crypto";',
    "export const a = [x, y, z, readFileSync, randomUUID, DurableObject, gunzipSync, createHash];",
  ],
  "lib/parquet/a.ts": ["export const x = 1;"],
  "lib/catalog/a.ts": ['console.log("seen"); // no-console', "export const y = 1;"],
  "lib/columnar/one.ts": ['import { two } from "./two.ts"; // no-cycle', "export const one = two;"],
  "lib/columnar/two.ts": ['import { one } from "./one.ts"; // no-cycle', "export const two = one;"],
  "platform/r2.ts": [
    'import { w } from "../workers/query/index.ts"; // no-restricted-imports',
    "export const z = w;",
  ],
  "workers/query/index.ts": [
    'import { DatabaseBuffer } from "../../durable-objects/database-buffer.ts"; // no-restricted-imports',
    "async function flush(): Promise<void> {}",
    "flush(); // no-floating-promises",
    "export const w = DatabaseBuffer;",
  ],
  "workers/ingest/index.ts": [
    'export { DatabaseBuffer } from "../../durable-objects/database-buffer.ts";',
  ],
  "durable-objects/database-buffer.ts": [
    'import { q } from "../queue-consumers/parquet-writer/index.ts"; // no-restricted-imports',
    "export const DatabaseBuffer = q;",
  ],
  "queue-consumers/parquet-writer/index.ts": [
    'import { health } from "../../workers/ingest/health.ts"; // no-restricted-imports',
    "export const q = health;",
  ],
  "workers/ingest/health.ts": ["export const health = 1;"],
  "clients/send.ts": [
    'import { x } from "#lib/parquet/a.ts"; // no-restricted-imports',
    'import { a } from "#lib/base/a.ts";',
    "export const send = [x, a];",
  ],
};

beforeAll(() => {
  for (const name of [".oxlintrc.json", "package.json", "tsconfig.json"]) {
    cpSync(join(ROOT, name), join(folder, name));
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [path, lines] of Object.entries(PLANTED)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), `${lines.join("\n")}\n`);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

test("every planted violation is found, and nothing else", () => {
  const planted = Object.entries(PLANTED).flatMap(([path, lines]) =>
    lines.flatMap((line, index) => {
      const rule = / \/\/ (\S+)$/.exec(line)?.[1];
      return rule === undefined ? [] : [`${path}:${index + 1} ${rule}`];
    }),
  );
  expect(lint().sort()).toEqual(planted.sort());
});

test("every folder of lib has its own rule about what it may import", () => {
  const config = readFileSync(join(ROOT, ".oxlintrc.json"), "utf8");
  const folders = readdirSync(join(ROOT, "lib"));
  expect(folders.filter((name) => !config.includes(`"lib/${name}/**"`))).toEqual([]);
});

function lint(): string[] {
  const folders = [...new Set(Object.keys(PLANTED).map((path) => path.split("/")[0]!))];
  const { stdout } = spawnSync(
    join(ROOT, "node_modules/.bin/oxlint"),
    ["--type-aware", "--format=unix", ...folders],
    { cwd: folder, encoding: "utf8" },
  );
  return [...stdout.matchAll(/^(\S+?:\d+):\d+: .*\(([\w-]+)\)\]$/gm)].map(
    ([, place, rule]) => `${place} ${rule}`,
  );
}
