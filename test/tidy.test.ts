// The repository's own rules, those that no other tool checks. Each failure names the file.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ROOT, findWorkerConfigs } from "../embedded/worker-configs.ts";

const PRODUCT = ["lib", "platform", "workers", "durable-objects", "queue-consumers"];
const FOLDERS = [...PRODUCT, "clients", "embedded", "bench", "ops", "scripts", "test"];
const LINES_MAX = 400;
const COLUMNS_MAX = 100;

function sources(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    existsSync(join(ROOT, folder))
      ? readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
          .filter((name) => /\.(ts|mjs|js)$/.test(name))
          .map((name) => `${folder}/${name}`)
      : [],
  );
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The comment that a file opens with, as running text. */
function headerOf(path: string): string {
  const lines = read(path)
    .replace(/^#!.*\n/, "")
    .split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines
    .slice(0, end)
    .map((line) => line.slice(3))
    .join(" ")
    .replaceAll("/ ", "/");
}

describe("sources", () => {
  test(`have at most ${LINES_MAX} lines`, () => {
    const long = sources(FOLDERS).filter((path) => read(path).split("\n").length > LINES_MAX + 1);
    expect(long).toEqual([]);
  });

  test(`have comments of at most ${COLUMNS_MAX} columns, as the formatter sees to the code`, () => {
    const wide = sources(FOLDERS).flatMap((path) =>
      read(path)
        .split("\n")
        .flatMap((line, index) =>
          line.length > COLUMNS_MAX && /^\s*(\/\/|\/?\*)/.test(line)
            ? [`${path}:${index + 1}`]
            : [],
        ),
    );
    expect(wide).toEqual([]);
  });

  test("of the product open with a comment that says what they are", () => {
    const bare = sources([...PRODUCT, "embedded", "scripts", "clients", "bench", "ops"]).filter(
      (path) => headerOf(path).length < 40,
    );
    expect(bare).toEqual([]);
  });

  test("have names that say what a thing is, not that it is a thing", () => {
    const banned = /(?:Manager|Helper|Utils?|Impl|DTO)$|^class \w+Service$/;
    const declared = /(?:class|interface|type|function|const) \w+/g;
    /** What others know it by. */
    const given = "class TelemetryManager";
    const named = sources(FOLDERS).flatMap((path) => [
      ...(/(^|[-/])(manager|helper|utils?|common|misc)\.ts$/.test(path) ? [path] : []),
      ...[...read(path).matchAll(declared)]
        .map(([declaration]) => declaration)
        .filter((declaration) => banned.test(declaration) && declaration !== given)
        .map((declaration) => `${path}: ${declaration}`),
    ]);
    expect(named).toEqual([]);
  });

  test("run every test: none is focused, skipped without a reason, or left to be done", () => {
    const left = sources(["test"]).filter((path) =>
      /\b(?:test|it|describe)\.(?:only|todo|skip\()/.test(read(path)),
    );
    expect(left).toEqual([]);
  });
});

describe("the life of a batch", () => {
  const FIRST = "workers/ingest/index.ts";
  const STEPS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

  function stepsOf(path: string): number[] {
    const text = /^Steps? ([\d, and]+) of a batch's life/.exec(headerOf(path))?.[1] ?? "";
    return [...text.matchAll(/\d/g)].map(Number);
  }

  function nextOf(path: string): string | undefined {
    const next = /Next: ([\w./-]+\.ts)/.exec(headerOf(path))?.[1];
    if (next === undefined) return undefined;
    return next.includes("/") ? next : join(dirname(path), next);
  }

  test("every file that a header names as the next one exists", () => {
    const broken = sources(PRODUCT).filter((path) => {
      const next = nextOf(path);
      return next !== undefined && !existsSync(join(ROOT, next));
    });
    expect(broken).toEqual([]);
  });

  test("can be walked from the front door to the answer, step by step, along the headers", () => {
    const walked: string[] = [];
    for (let path: string | undefined = FIRST; path !== undefined; path = nextOf(path)) {
      expect(walked).not.toContain(path);
      walked.push(path);
    }
    const steps = walked.flatMap(stepsOf);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect([...new Set(steps)], walked.join(" → ")).toEqual(STEPS);
  });
});

describe("package.json", () => {
  test("pins exact versions", () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      read("package.json"),
    ) as Record<string, Record<string, string>>;
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
    const loose = Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+/.test(version));
    expect(loose).toEqual([]);
  });
});

interface WorkerFacts {
  name: string;
  compatibility_date: string;
  compatibility_flags: string[];
  durable_objects: { bindings: { class_name: string; script_name?: string }[] };
  migrations: { new_sqlite_classes?: string[] }[];
  services: { service: string }[];
  queues: {
    producers?: { queue: string }[];
    consumers?: { queue: string; dead_letter_queue?: string }[];
  };
}

describe("the wrangler.toml files", () => {
  let workers: WorkerFacts[];

  beforeAll(async () => {
    const { unstable_readConfig: readConfig } = await import("wrangler");
    const options = { hideWarnings: true };
    workers = findWorkerConfigs().map(
      (path) => readConfig({ config: join(ROOT, path) }, options) as unknown as WorkerFacts,
    );
  }, 30_000);

  test("agree on the compatibility date and flags", () => {
    const dates = workers.map((worker) => worker.compatibility_date);
    const flags = workers.map((worker) => worker.compatibility_flags.join());
    expect([new Set(dates).size, new Set(flags).size]).toEqual([1, 1]);
  });

  test("bind only Durable Object classes that their Worker migrates", () => {
    const migrated = workers.flatMap(({ name, migrations }) =>
      migrations.flatMap((step) => step.new_sqlite_classes ?? []).map((own) => `${name}/${own}`),
    );
    const bound = workers.flatMap(({ name, durable_objects: { bindings } }) =>
      bindings.map((binding) => `${binding.script_name ?? name}/${binding.class_name}`),
    );
    expect(bound.filter((path) => !migrated.includes(path))).toEqual([]);
    expect(migrated.filter((path) => !bound.includes(path))).toEqual([]);
  });

  test("bind only Workers that exist", () => {
    const names = workers.map((worker) => worker.name);
    const services = workers.flatMap((worker) => worker.services ?? []);
    expect(services.filter(({ service }) => !names.includes(service))).toEqual([]);
  });

  test("give every queue that is written to, dead letters too, exactly one consumer", () => {
    const consumers = workers.flatMap(({ queues }) => queues.consumers ?? []);
    const written = [
      ...workers.flatMap(({ queues }) => (queues.producers ?? []).map(({ queue }) => queue)),
      ...consumers.flatMap(({ dead_letter_queue: queue }) => (queue === undefined ? [] : [queue])),
    ];
    const consumed = consumers.map(({ queue }) => queue).toSorted();
    expect(consumed).toEqual([...new Set(written)].toSorted());
  });

  test("are each in the folder of the Worker they name", () => {
    const folders = findWorkerConfigs()
      .slice(1)
      .map((path) => `sluice-${basename(dirname(path))}`);
    expect(workers.slice(1).map((worker) => worker.name)).toEqual(folders);
  });
});
