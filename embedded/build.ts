// Builds every Worker: the very upload form that `wrangler deploy` would send, taken apart.
//
// Nothing about a Worker is written twice: bindings, flags and bundles come from that form, and
// what it lacks (which classes store SQLite, who consumes which queue, when crons fire) from
// wrangler's own reading of the wrangler.toml.

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unstable_readConfig as readWorkerConfig } from "wrangler";
import { buildFolder, buildPath, removeOldBuilds } from "./build-cache.ts";
import type { BuiltModule, BuiltWorker, QueueConsumer, UploadedBinding } from "./built-worker.ts";
import { ROOT, findWorkerConfigs } from "./worker-configs.ts";
import { runWrangler } from "./wrangler.ts";

/** Parts of the form's `metadata` that matter here. */
interface UploadMetadata {
  readonly main_module: string;
  readonly bindings: readonly UploadedBinding[];
  readonly compatibility_date: string;
  readonly compatibility_flags?: readonly string[];
}

/** What is read of a wrangler.toml beside the form. */
interface WorkerFacts {
  readonly name?: string;
  readonly migrations: readonly { tag: string; new_sqlite_classes?: string[] }[];
  readonly queues: { readonly consumers?: readonly QueueConsumer[] };
  readonly triggers: { readonly crons?: readonly string[] };
}

const TRIES_MAX = 5;

/** Returns the path of the build; does nothing when it is there already. */
export async function build(root: string = ROOT): Promise<string> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const path = buildPath(root);
    if (existsSync(path)) return path;
    const workers = await buildWorkers(root);
    // Of sources that changed meanwhile it may be a mixture.
    if (buildPath(root) !== path) continue;
    writeWhole(path, JSON.stringify(workers, null, 2));
    removeOldBuilds(buildFolder(root));
    return path;
  }
  throw new Error(`the sources changed ${TRIES_MAX} times while they were built`);
}

async function buildWorkers(root: string): Promise<BuiltWorker[]> {
  const moduleFolder = join(buildFolder(root), "modules");
  mkdirSync(moduleFolder, { recursive: true });
  const forms = mkdtempSync(join(tmpdir(), "sluice-build-"));
  try {
    return await Promise.all(
      findWorkerConfigs(root).map((config, index) =>
        buildWorker(root, config, join(forms, String(index)), moduleFolder),
      ),
    );
  } finally {
    rmSync(forms, { recursive: true });
  }
}

async function buildWorker(
  root: string,
  config: string,
  formPath: string,
  moduleFolder: string,
): Promise<BuiltWorker> {
  await runWrangler(["deploy", "--dry-run", "--config", config, "--outfile", formPath], root);
  const form = await readForm(formPath);
  const metadata = JSON.parse(form.get("metadata") as string) as UploadMetadata;
  const modules: BuiltModule[] = [];
  for (const [name, part] of form) {
    if (typeof part === "string" || part.type === "application/source-map") continue;
    const content = Buffer.from(await part.arrayBuffer());
    const path = join(moduleFolder, createHash("sha256").update(content).digest("hex"));
    if (existsSync(path)) utimesSync(path, new Date(), new Date());
    else writeWhole(path, content);
    const module = { name, type: part.type, path };
    if (name === metadata.main_module) modules.unshift(module);
    else modules.push(module);
  }
  const facts = readWorkerConfig(
    { config: join(root, config) },
    { hideWarnings: true },
  ) as WorkerFacts;
  if (facts.name === undefined) throw new Error(`${config} gives the Worker no name`);
  return {
    name: facts.name,
    modules,
    bindings: metadata.bindings,
    compatibilityDate: metadata.compatibility_date,
    compatibilityFlags: metadata.compatibility_flags ?? [],
    sqliteClasses: facts.migrations.flatMap(sqliteClassesOf),
    queueConsumers: facts.queues.consumers ?? [],
    crons: facts.triggers.crons ?? [],
  };
}

function sqliteClassesOf({ tag, ...steps }: WorkerFacts["migrations"][number]): string[] {
  const { new_sqlite_classes: added = [], ...others } = steps;
  const unknown = Object.keys(others);
  if (unknown.length > 0) throw new Error(`migration ${tag}: serve cannot do ${unknown.join()}`);
  return added;
}

async function readForm(path: string): Promise<FormData> {
  const body = readFileSync(path);
  const boundary = /^--(\S+)/.exec(body.toString("latin1", 0, 200))?.[1];
  const headers = { "content-type": `multipart/form-data; boundary=${boundary}` };
  return new Response(body, { headers }).formData();
}

/** Under its name a file is always whole, also beside a second build. */
function writeWhole(path: string, content: string | Buffer): void {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, content);
  renameSync(aside, path);
}
