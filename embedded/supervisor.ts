// The whole stack on one machine: object store in this process, everything else in one workerd.
//
// workerd's files and ours are flushed before anything is acknowledged, so a kill -9 of all of it
// at any moment loses nothing, and the next start needs no repair before it answers.

import { get } from "node:http";
import type { Server } from "node:http";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { builtWorkers } from "./build-cache.ts";
import type { BuiltWorker } from "./built-worker.ts";
import { StartRefused, claimDataFolder, keptAdminToken } from "./data-folder.ts";
import { tellToDrain } from "./host-line.ts";
import { log } from "./log.ts";
import { watchMachine } from "./machine-telemetry.ts";
import { serveObjects } from "./object-store/server.ts";
import { ObjectStore } from "./object-store/store.ts";
import { OBJECT_SOCKET, bucketNames, secretNames, workerdConfig } from "./workerd-config.ts";
import { WorkerdProcess } from "./workerd-process.ts";

export interface ServeSettings {
  /** 0 lets the system choose. */
  readonly port: number;
  readonly folder: string;
  /**
   * Values of the Workers' variables and secrets by name, from the command line or the environment.
   * ADMIN_TOKEN is made and kept in the folder when it is not among them.
   */
  readonly values: ReadonlyMap<string, string>;
  /** After SIGTERM it says "not ready" for this long, and still serves, before it ends. */
  readonly drainNoticeMs: number;
  /** Requests in flight have this long to finish then. */
  readonly drainMsMax: number;
  /** Opens V8's inspector on a port of this machine, for `npm run profile`. */
  readonly isInspected: boolean;
}

const READY_MS_MAX = 60_000;
/** A terminal, npm and the launcher may each pass on the same Ctrl-C; that is one wish, not two. */
const SAME_SIGNAL_MS = 1_000;

/** Resolves with the port when /ready answers 200. From then on signals end the process. */
export async function serve(settings: ServeSettings): Promise<number> {
  const folder = resolve(settings.folder);
  const lock = claimDataFolder(folder);
  // Socket paths are limited to about 100 bytes; a relative one is short wherever the folder is.
  process.chdir(folder);
  const workers = builtWorkers((line) => log("info", line));
  const secrets = secretsOf(workers, settings.values, folder);

  const stores = openStores(folder, bucketNames(workers));
  const objects = await serveObjects(stores, OBJECT_SOCKET, (error) => {
    log("error", `object store: ${error instanceof Error ? error.stack : String(error)}`);
  });
  const config = workerdConfig(workers, settings.values);
  const workerd = new WorkerdProcess(folder, config, secrets, settings.isInspected);
  process.once("exit", () => workerd.kill());
  endOnSignal(workerd, settings, async () => {
    await closeObjects(objects, stores);
    lock.close();
  });
  const port = await workerd.start(settings.port);
  await untilReady(port);
  watchMachine({ workerdPid: () => workerd.pid, port, folder });
  sweep(stores);
  return port;
}

function secretsOf(
  workers: readonly BuiltWorker[],
  values: ReadonlyMap<string, string>,
  folder: string,
): Record<string, string> {
  const secrets = secretNames(workers).map((name) => {
    const value = values.get(name);
    if (value !== undefined) return [name, value];
    if (name !== "ADMIN_TOKEN") throw new StartRefused(`SLUICE_${name} must be set`);
    const { token, path } = keptAdminToken(folder);
    log("info", `the admin token is in ${path}`);
    return [name, token];
  });
  return Object.fromEntries(secrets) as Record<string, string>;
}

function openStores(folder: string, buckets: readonly string[]): Map<string, ObjectStore> {
  return new Map(
    buckets.map((bucket) => [
      bucket,
      new ObjectStore(join(folder, "r2", bucket), join(folder, "r2-index", bucket)),
    ]),
  );
}

function sweep(stores: ReadonlyMap<string, ObjectStore>): void {
  for (const [bucket, store] of stores) {
    store.sweep().catch((error: unknown) => log("error", `sweeping ${bucket}: ${String(error)}`));
  }
}

async function untilReady(port: number): Promise<void> {
  const startedMs = performance.now();
  while ((await statusOf(`http://127.0.0.1:${port}/ready`)) !== 200) {
    if (performance.now() - startedMs > READY_MS_MAX) {
      throw new StartRefused(`not ready after ${READY_MS_MAX / 1000} s`);
    }
    await sleep(20);
  }
}

/** 0 while nobody answers. */
function statusOf(url: string): Promise<number> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    request.on("error", () => resolve(0));
  });
}

/** The first signal drains, a later one does not wait. */
function endOnSignal(
  workerd: WorkerdProcess,
  settings: ServeSettings,
  close: () => Promise<void>,
): void {
  let firstMs: number | undefined;
  const end = (signal: NodeJS.Signals) => {
    if (firstMs !== undefined) {
      if (performance.now() - firstMs <= SAME_SIGNAL_MS) return;
      log("warn", `${signal} again: ending at once`);
      process.exit(1);
    }
    firstMs = performance.now();
    log("info", `${signal}: finishing what is in flight`);
    void drain(workerd, signal, settings).then(async (isDrained) => {
      await close();
      process.exit(isDrained ? 0 : 1);
    });
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
}

/** Who sends SIGTERM may have a balancer in front, which must see first that this one leaves. */
async function drain(
  workerd: WorkerdProcess,
  signal: NodeJS.Signals,
  { drainNoticeMs, drainMsMax }: ServeSettings,
): Promise<boolean> {
  const isTold = await tellToDrain();
  if (isTold && signal === "SIGTERM") await sleep(drainNoticeMs);
  return await workerd.stop(drainMsMax);
}

async function closeObjects(
  objects: Server,
  stores: ReadonlyMap<string, ObjectStore>,
): Promise<void> {
  const closed = new Promise((resolve) => objects.close(resolve));
  objects.closeAllConnections();
  await closed;
  for (const store of stores.values()) store.close();
}
