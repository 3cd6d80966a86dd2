// Where a build is kept, named by the hash of everything it is made from: .build/<hash>.json.
//
// So `serve` knows in milliseconds whether the Workers are built, without loading wrangler, and two
// builds at once cannot disturb each other. Modules are kept once, named by their content.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { BuiltWorker } from "./built-worker.ts";
import { ROOT, findWorkerConfigs } from "./worker-configs.ts";

const SOURCE_FOLDERS = ["lib", "platform", "workers", "durable-objects", "queue-consumers"];
const SOURCE_FILES = ["package.json", "package-lock.json", "tsconfig.json"];

export function buildFolder(root: string = ROOT): string {
  return join(root, ".build");
}

/** Path of the build of the sources as they are now. It may not exist yet. */
export function buildPath(root: string = ROOT): string {
  return join(buildFolder(root), `${hashOfSources(root)}.json`);
}

/** The built Workers, front door first; builds them when a source changed since. */
export function builtWorkers(log: (line: string) => void): BuiltWorker[] {
  const path = buildPath();
  if (!existsSync(path)) {
    log("building the Workers (a few seconds, only after a change)");
    const script = join(ROOT, "scripts/build.ts");
    const { status } = spawnSync(process.execPath, [script], { stdio: ["ignore", 2, 2] });
    if (status !== 0) throw new Error("the Workers could not be built, see above");
  }
  return JSON.parse(readFileSync(path, "utf8")) as BuiltWorker[];
}

function hashOfSources(root: string): string {
  const hash = createHash("sha256");
  const nested = SOURCE_FOLDERS.flatMap((folder) => filesBelow(root, folder));
  for (const path of [...SOURCE_FILES, ...findWorkerConfigs(root), ...nested]) {
    const file = join(root, path);
    if (!existsSync(file)) continue;
    const content = readFileSync(file);
    hash.update(`${path}\0${content.byteLength}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 32);
}

function filesBelow(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}
