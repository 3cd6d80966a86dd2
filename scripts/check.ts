// `npm run check`: everything that must hold before a change is merged, the quickest first.
//
// Stops at the first step that fails and shows what it said. `--no-tests` leaves out the last step,
// for a caller that has just run them.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../embedded/worker-configs.ts";

/** Named one by one: a linter that is left to look for itself walks node_modules too. */
const LINTED = [
  "lib",
  "platform",
  "workers",
  "durable-objects",
  "queue-consumers",
  "clients",
  "embedded",
  "bench",
  "ops",
  "scripts",
  "test",
  "vitest.config.ts",
].filter((path) => existsSync(join(ROOT, path)));

const STEPS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["format", "oxfmt", "--check"],
  ["generated types", process.execPath, "scripts/types.ts"],
  ["types of what runs on workerd", "tsc", "-p", "tsconfig.json"],
  ["types of what runs on Node", "tsc", "-p", "tsconfig.node.json"],
  ["lint", "oxlint", "--type-aware", "--deny-warnings", ...LINTED],
  ["tests", "vitest", "run"],
];

const steps = process.argv.includes("--no-tests")
  ? STEPS.filter(([name]) => name !== "tests")
  : STEPS;

for (const [name, command, ...args] of steps) {
  const startMs = performance.now();
  const { code, output } = await run(command, args);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"}  ${name}  ${seconds} s`);
  if (code === 0) continue;
  console.log(output);
  process.exit(1);
}

function run(command: string, args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() });
    });
  });
}
