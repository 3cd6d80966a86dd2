// From the built Workers to the configuration of one workerd process that runs them all.
//
// A binding type that is not known here is an error: what a wrangler.toml asks for and what the
// local server gives cannot drift apart. Queues and crons are workerd's own Workers (bundled in its
// binary, their state in SQLite on disk); buckets are the supervisor's object store. Paths are
// relative to the data folder, which is workerd's working directory.

import type { BuiltModule, BuiltWorker, UploadedBinding } from "./built-worker.ts";
import { Embed, toCapnpText } from "./capnp-text.ts";
import type { CapnpValue } from "./capnp-text.ts";
import { BUCKET_HEADER } from "./object-store/server.ts";

type Struct = { readonly [field: string]: CapnpValue };

/** Folders of SQLite files that workerd keeps, below the data folder. */
export const STATE_FOLDERS = ["durable-objects", "queues", "crons"] as const;

export const OBJECT_SOCKET = "objects.sock";
export const HTTP_SOCKET = "http";
/** Leads to the front door's `HostLine`; in the data folder, which is its owner's alone. */
export const HOST_SOCKET = "host.sock";
const HOST_ENTRYPOINT = "HostLine";

/** Plain-text variables to be given another value, by name, in every Worker that has them. */
export type Overrides = ReadonlyMap<string, string>;

export function workerdConfig(workers: readonly BuiltWorker[], overrides: Overrides): string {
  const config = {
    services: [
      ...workers.map((worker, at) => workerService(worker, overrides, at === 0)),
      ...bucketNames(workers).map(bucketService),
      queueService(workers),
      cronService(workers),
      NO_INTERNET,
      OPEN_NETWORK,
      ...STATE_FOLDERS.map((folder) => ({
        name: `disk:${folder}`,
        disk: { path: folder, writable: true },
      })),
    ],
    sockets: [
      { name: HTTP_SOCKET, http: {}, service: workers[0]!.name },
      {
        name: "host",
        address: `unix:${HOST_SOCKET}`,
        http: {},
        service: { name: workers[0]!.name, entrypoint: HOST_ENTRYPOINT },
      },
    ],
    logging: { structuredLogging: false },
  };
  const schema = `using Workerd = import "/workerd/workerd.capnp";`;
  return `${schema}\nconst config :Workerd.Config = ${toCapnpText(config)};\n`;
}

/** Where Workers' own requests go. Without a service of this name it would be the open network. */
const NO_INTERNET = { name: "internet", network: { allow: [] } };

/**
 * Where the requests of the front door go, in which the Durable Objects live that deliver to
 * triggers. Also to addresses of this machine and its network: an administrator has named each URL,
 * and many receivers of a server that stands at home stand beside it. Queries, and whatever else
 * runs apart from the front door, have no way out.
 */
const OPEN_NETWORK = {
  name: "open-network",
  network: { allow: ["public", "private", "local"], tlsOptions: { trustBrowserCas: true } },
};

export function bucketNames(workers: readonly BuiltWorker[]): string[] {
  const names = allBindings(workers)
    .filter((binding) => binding.type === "r2_bucket")
    .map((binding) => text(binding, "bucket_name"));
  return [...new Set(names)];
}

/** Names of the secrets the Workers need, to be found in workerd's environment. */
export function secretNames(workers: readonly BuiltWorker[]): string[] {
  const names = allBindings(workers)
    .filter(isSecret)
    .map((binding) => binding.name);
  return [...new Set(names)];
}

function allBindings(workers: readonly BuiltWorker[]): UploadedBinding[] {
  return workers.flatMap((worker) => worker.bindings);
}

function workerService(worker: BuiltWorker, overrides: Overrides, isFrontDoor: boolean): Struct {
  const { name, sqliteClasses } = worker;
  return {
    name,
    worker: {
      modules: worker.modules.map(moduleStruct),
      compatibilityDate: worker.compatibilityDate,
      compatibilityFlags: worker.compatibilityFlags,
      bindings: worker.bindings.map((binding) => bindingStruct(worker, binding, overrides)),
      globalOutbound: isFrontDoor ? OPEN_NETWORK.name : undefined,
      ...durableObjects(
        "durable-objects",
        sqliteClasses.map((className) => ({ className, uniqueKey: `${name}-${className}` })),
      ),
    },
  };
}

/** Objects keep their data as long as `uniqueKey` and the folder stay what they are. */
function durableObjects(
  folder: (typeof STATE_FOLDERS)[number],
  classes: readonly { className: string; uniqueKey: string }[],
): Struct {
  if (classes.length === 0) return {};
  return {
    durableObjectNamespaces: classes.map((names) => ({ ...names, enableSql: true })),
    durableObjectStorage: { localDisk: `disk:${folder}` },
  };
}

const MODULE_FIELDS: Record<string, string> = {
  "application/javascript+module": "esModule",
  "application/javascript": "commonJsModule",
  "application/wasm": "wasm",
  "application/octet-stream": "data",
  "application/json": "json",
  "text/plain": "text",
};

function moduleStruct(module: BuiltModule): Struct {
  const field = MODULE_FIELDS[module.type];
  if (field === undefined) throw new Error(`module ${module.name}: unknown type ${module.type}`);
  return { name: module.name, [field]: new Embed(module.path) };
}

function bindingStruct(
  worker: BuiltWorker,
  binding: UploadedBinding,
  overrides: Overrides,
): Struct {
  const { name, type } = binding;
  if (isSecret(binding)) return { name, fromEnvironment: name };
  switch (type) {
    case "plain_text":
      return { name, text: overrides.get(name) ?? text(binding, "text") };
    case "json":
      return { name, json: JSON.stringify(binding["json"]) };
    case "durable_object_namespace": {
      const className = text(binding, "class_name");
      const serviceName = binding["script_name"] as string | undefined;
      return { name, durableObjectNamespace: { className, serviceName } };
    }
    case "service": {
      const entrypoint = binding["entrypoint"] as string | undefined;
      return { name, service: { name: text(binding, "service"), entrypoint } };
    }
    case "queue": {
      const props = { json: JSON.stringify({ queue: text(binding, "queue_name") }) };
      return { name, queue: { name: "queues", props } };
    }
    case "r2_bucket":
      return { name, r2Bucket: `bucket:${text(binding, "bucket_name")}` };
    default:
      throw new Error(`${worker.name}: binding ${name} is of type ${type}, which serve lacks`);
  }
}

/** A form leaves secrets to be inherited from what is deployed; here they come from outside too. */
function isSecret(binding: UploadedBinding): boolean {
  return binding.type === "inherit" || binding.type === "secret_text";
}

function text(binding: UploadedBinding, field: string): string {
  const value = binding[field];
  if (typeof value !== "string") throw new Error(`binding ${binding.name} lacks ${field}`);
  return value;
}

function bucketService(bucket: string): Struct {
  const injectRequestHeaders = [{ name: BUCKET_HEADER, value: bucket }];
  return {
    name: `bucket:${bucket}`,
    external: { address: `unix:${OBJECT_SOCKET}`, http: { injectRequestHeaders } },
  };
}

// The two Workers below come with workerd (`--experimental`); their bindings are described at the
// top of src/workerd/server/queues.js and cron.js.

function queueService(workers: readonly BuiltWorker[]): Struct {
  const consumers = workers.flatMap((worker) =>
    worker.queueConsumers.map((consumer) => ({ worker: worker.name, ...consumer })),
  );
  const settings = consumers.map((consumer, index) => [
    consumer.queue,
    {
      consumer: `CONSUMER_${index}`,
      maxBatchSize: consumer.max_batch_size,
      maxBatchTimeout: consumer.max_batch_timeout,
      maxRetries: consumer.max_retries,
      // One thread runs everything: more than one batch at a time would only hold more memory.
      maxConcurrency: consumer.max_concurrency ?? 1,
      retryDelay: consumer.retry_delay,
      deadLetterQueue: consumer.dead_letter_queue,
    },
  ]);
  return bundledWorker("queues", "queues", "QueueShard", workers[0]!, [
    { name: "SHARD", durableObjectNamespace: "QueueShard" },
    { name: "CONSUMERS", json: JSON.stringify(Object.fromEntries(settings)) },
    ...consumers.map(({ worker }, index) => ({ name: `CONSUMER_${index}`, service: worker })),
  ]);
}

function cronService(workers: readonly BuiltWorker[]): Struct {
  const timed = workers.filter((worker) => worker.crons.length > 0);
  const crons = timed.map((worker, index) => [`WORKER_${index}`, worker.crons]);
  return bundledWorker("cron", "crons", "Schedule", workers[0]!, [
    { name: "SCHEDULE", durableObjectNamespace: "Schedule" },
    { name: "CRONS", json: JSON.stringify(Object.fromEntries(crons)) },
    ...timed.map((worker, index) => ({ name: `WORKER_${index}`, service: worker.name })),
  ]);
}

function bundledWorker(
  name: string,
  folder: (typeof STATE_FOLDERS)[number],
  className: string,
  front: BuiltWorker,
  bindings: readonly Struct[],
): Struct {
  return {
    name,
    worker: {
      modules: [{ name: `${name}.js`, bundled: `/workerd/${name}.js` }],
      compatibilityDate: front.compatibilityDate,
      compatibilityFlags: ["service_binding_extra_handlers"],
      bindings,
      ...durableObjects(folder, [{ className, uniqueKey: name }]),
    },
  };
}
