// `npm run bench -- NAME`: runs one benchmark, each in a process of its own.
//
// A benchmark is a file of this folder that measures and prints when it is run; the names below
// are those files. What they found, and on which machine, is in docs/benchmarks.md.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Files that benchmarks share; they measure nothing by themselves. */
const SHARED = [
  "event-table",
  "events",
  "lake-files",
  "load",
  "minute-files",
  "month",
  "month-queries",
  "process-stats",
  "report",
  "run",
  "server",
];

const [name, ...args] = process.argv.slice(2);
const path = pathOf(`${name}.ts`);
if (name === undefined || SHARED.includes(name) || !existsSync(path)) {
  console.error("usage: npm run bench -- NAME\n");
  for (const [known, purpose] of listBenchmarks()) {
    console.error(`  ${known.padEnd(12)} ${purpose}`);
  }
  process.exit(2);
}
process.exit(spawnSync(process.execPath, [path, ...args], { stdio: "inherit" }).status ?? 1);

/** Names with the first line of their header. */
function listBenchmarks(): [string, string][] {
  return readdirSync(pathOf("."))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -".ts".length))
    .filter((known) => !SHARED.includes(known))
    .map((known) => {
      const [header] = readFileSync(pathOf(`${known}.ts`), "utf8").split("\n");
      return [known, header!.replace(/^\/\/ /, "")];
    });
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
