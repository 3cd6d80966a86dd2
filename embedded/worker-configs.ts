// Where the Workers of this repository are: the one place that lists their wrangler.toml files.
//
// Found by looking, not by a list, so that a new Worker cannot be left out of the build, the local
// server, the generated types or the tidy test. The first one is the front door.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

const FOLDERS_OF_WORKERS = ["workers", "queue-consumers"];

/** Paths of all wrangler.toml files, relative to `root`; the root's own, the front door, first. */
export function findWorkerConfigs(root: string = ROOT): string[] {
  const nested = FOLDERS_OF_WORKERS.filter((folder) => existsSync(join(root, folder))).flatMap(
    (folder) =>
      readdirSync(join(root, folder))
        .sort()
        .map((name) => `${folder}/${name}/wrangler.toml`),
  );
  return ["wrangler.toml", ...nested].filter((path) => existsSync(join(root, path)));
}
