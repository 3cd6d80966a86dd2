// Where a build is kept, named by the hash of everything it is made from: .build/<hash>.json.
//
// So `serve` knows in milliseconds whether the Workers are built, without loading wrangler, and two
// builds at once cannot disturb each other: a file gets its name when it is whole, and what is not
// there any more is built again. Modules are kept once, named by their content.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
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

const TRIES_MAX = 5;

/** The built Workers, front door first; builds them when a source changed since. */
export function builtWorkers(log: (line: string) => void, root: string = ROOT): BuiltWorker[] {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    // Anew each time: sources may change while they are built.
    const content = contentOf(buildPath(root));
    if (content !== null) return JSON.parse(content.toString()) as BuiltWorker[];
    log("building the Workers (a few seconds, only after a change)");
    const script = join(root, "scripts/build.ts");
    const { status } = spawnSync(process.execPath, [script], { stdio: ["ignore", 2, 2] });
    if (status !== 0) throw new Error("the Workers could not be built, see above");
  }
  throw new Error(`the sources changed ${TRIES_MAX} times while they were built`);
}

const BUILD_AGE_MS_MAX = 30 * 24 * 3_600_000;

/** A running server reads its modules again when it restarts workerd, so they are kept for long. */
export function removeOldBuilds(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    // Another builder may have removed or renamed it since the folder was read.
    const stats = statSync(path, { throwIfNoEntry: false });
    const isOld = stats?.isFile() === true && Date.now() - stats.mtimeMs > BUILD_AGE_MS_MAX;
    if (isOld) rmSync(path, { force: true });
  }
}

function hashOfSources(root: string): string {
  const hash = createHash("sha256");
  const nested = SOURCE_FOLDERS.flatMap((folder) => filesBelow(root, folder));
  for (const path of [...SOURCE_FILES, ...findWorkerConfigs(root), ...nested]) {
    const content = contentOf(join(root, path));
    if (content === null) continue;
    hash.update(`${path}\0${content.byteLength}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 32);
}

/** Without what has a dot before its name: wrangler builds in such folders beside the sources. */
function filesBelow(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith("."))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(root, path) : [path];
    })
    .sort();
}

/** null: there is no such file, or no longer. */
function contentOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
