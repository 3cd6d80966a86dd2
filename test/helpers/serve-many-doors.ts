// The whole stack, as `npm run serve` starts it, with several front doors: the same Worker several
// times, each in an isolate of its own, in front of the Durable Objects of one. So isolates are on
// one machine what they are on Cloudflare: many, none of which sees all requests.
//
//   SLUICE_DOORS=3 SLUICE_<NAME>=… node test/helpers/serve-many-doors.ts --port 0 --data FOLDER

import { fileURLToPath } from "node:url";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { builtWorkers } from "../../embedded/build-cache.ts";
import type { BuiltWorker } from "../../embedded/built-worker.ts";
import { claimDataFolder } from "../../embedded/data-folder.ts";
import { log } from "../../embedded/log.ts";
import { serveObjects } from "../../embedded/object-store/server.ts";
import { ObjectStore } from "../../embedded/object-store/store.ts";
import { OBJECT_SOCKET, bucketNames, workerdConfig } from "../../embedded/workerd-config.ts";
import { WorkerdProcess } from "../../embedded/workerd-process.ts";

const ROUND_ROBIN = fileURLToPath(new URL("round-robin-worker.js", import.meta.url));

const { values: flags } = parseArgs({
  options: { port: { type: "string" }, data: { type: "string" } },
});
const values = new Map(
  Object.entries(process.env).flatMap(([name, value]) =>
    name.startsWith("SLUICE_") ? [[name.slice("SLUICE_".length), value!] as const] : [],
  ),
);
const folder = resolve(flags.data!);
claimDataFolder(folder);
process.chdir(folder);
const workers = behindDoors(
  builtWorkers((line) => log("info", line)),
  Number(values.get("DOORS")),
);
const stores = new Map(
  bucketNames(workers).map((bucket) => [
    bucket,
    new ObjectStore(join(folder, "r2", bucket), join(folder, "r2-index", bucket)),
  ]),
);
await serveObjects(stores, OBJECT_SOCKET, (error) => log("error", String(error)));
const secrets = { ADMIN_TOKEN: values.get("ADMIN_TOKEN")! };
const workerd = new WorkerdProcess(folder, workerdConfig(workers, values), secrets, false);
process.once("exit", () => workerd.kill());
const port = await workerd.start(Number(flags.port));
while (!(await isReady())) await sleep(50);
console.log(`ready http://127.0.0.1:${port}`);

async function isReady(): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => null);
  return answer?.ok === true;
}

/** Copies of the first Worker own no objects, take nothing from queues, and have no crons. */
function behindDoors([front, ...others]: readonly BuiltWorker[], count: number): BuiltWorker[] {
  const bindings = front!.bindings.map((binding) =>
    binding.type === "durable_object_namespace"
      ? { script_name: front!.name, ...binding }
      : binding,
  );
  const copies = Array.from({ length: count - 1 }, (_, i) => {
    const name = `${front!.name}-door-${i + 2}`;
    return { ...front!, name, bindings, sqliteClasses: [], queueConsumers: [], crons: [] };
  });
  const doors = [front!, ...copies].map(({ name }) => ({ type: "service", name, service: name }));
  const module = { name: "index.js", type: "application/javascript+module", path: ROUND_ROBIN };
  const network: BuiltWorker = {
    name: "network",
    modules: [module],
    bindings: doors,
    compatibilityDate: front!.compatibilityDate,
    compatibilityFlags: [],
    sqliteClasses: [],
    queueConsumers: [],
    crons: [],
  };
  return [network, front!, ...copies, ...others];
}
