// Generates types/: the `Env` of each Worker from its wrangler.toml, and the runtime's own types.
//
// Derived, so not in git: `npm run check` and `npm run dev` generate them when they are older than
// what they come from. Durable Object and service bindings are typed by the classes they lead to.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, findWorkerConfigs } from "../embedded/worker-configs.ts";
import { runWrangler } from "../embedded/wrangler.ts";

const STAMP = "types/.stamp";

/** Writes types/runtime.d.ts and types/<worker>-env.d.ts below `root`; false if all were fresh. */
export async function generateTypes(root: string = ROOT): Promise<boolean> {
  const configs = findWorkerConfigs(root);
  const stamp = stampOf(root, configs);
  const stampFile = join(root, STAMP);
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return false;
  mkdirSync(join(root, "types"), { recursive: true });
  await Promise.all([
    runWrangler(["types", "types/runtime.d.ts", "-c", configs[0]!, "--include-env=false"], root),
    ...configs.map((config) => generateEnv(root, config, configs)),
  ]);
  writeFileSync(stampFile, stamp);
  return true;
}

async function generateEnv(root: string, config: string, configs: string[]): Promise<void> {
  const worker = workerNameOf(readFileSync(join(root, config), "utf8"), config);
  const file = `types/${worker}-env.d.ts`;
  const others = configs.filter((other) => other !== config);
  await runWrangler(
    [
      "types",
      file,
      ...[config, ...others].flatMap((path) => ["-c", path]),
      `--env-interface=${pascalCase(worker)}Env`,
      "--include-runtime=false",
      "--include-main-module=false",
      "--strict-vars=false",
    ],
    root,
  );
  // Wrangler imports "…/index" without its extension, which module resolution of Node refuses.
  const text = readFileSync(join(root, file), "utf8");
  writeFileSync(join(root, file), text.replaceAll('/index")', '/index.ts")'));
}

/** The folder of the Worker's entry file: "ingest" for workers/ingest/index.ts. */
function workerNameOf(toml: string, config: string): string {
  const main = /^main\s*=\s*"([^"]+)"/m.exec(toml)?.[1];
  if (main === undefined) throw new Error(`${config} names no main file`);
  return join(config, "..", main).split("/").at(-2)!;
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function stampOf(root: string, configs: string[]): string {
  const hash = createHash("sha256");
  for (const path of ["package-lock.json", ...configs]) hash.update(readFileSync(join(root, path)));
  return hash.digest("hex");
}

if (import.meta.main) await generateTypes();
