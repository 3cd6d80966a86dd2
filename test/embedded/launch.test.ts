// scripts/launch.mjs in a repository of its own, with a stand-in for npm that notes how it is
// called.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ROOT } from "../../embedded/worker-configs.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-launch-"));
  mkdirSync(join(root, "scripts"));
  cpSync(join(ROOT, "scripts/launch.mjs"), join(root, "scripts/launch.mjs"));
  writeFileSync(
    join(root, "npm.cjs"),
    `require("fs").writeFileSync(${JSON.stringify(join(root, "npm-args"))}, process.argv.slice(2).join(" "))`,
  );
  writeFileSync(join(root, "scripts/args.ts"), "console.log(process.argv.slice(2).join());");
  lock({
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "2.0.0", optional: true },
  });
});

afterEach(() => rmSync(root, { recursive: true }));

function lock(packages: object, path = "package-lock.json"): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify({ packages: { "": {}, ...packages } }));
}

function installed(packages: object): void {
  lock(packages, "node_modules/.package-lock.json");
}

function launch(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, npm_execpath: join(root, "npm.cjs") };
  const command = [join(root, "scripts/launch.mjs"), ...args];
  return spawnSync(process.execPath, command, { encoding: "utf8", env });
}

test("installs once when there is no node_modules, then runs the target", () => {
  const { stdout, stderr, status } = launch("scripts/args.ts", "--port", "1");
  expect([stdout, status]).toEqual(["--port,1\n", 0]);
  expect(stderr).toContain("Installing");
  expect(readFileSync(join(root, "npm-args"), "utf8")).toMatch(/^install --no-save /);
});

test("does not install when everything but an optional package is there", () => {
  installed({ "node_modules/a": { version: "1.0.0" } });
  expect(launch("scripts/args.ts").stderr).toBe("");
  expect(existsSync(join(root, "npm-args"))).toBe(false);
});

test.each([
  ["another version", { "node_modules/a": { version: "1.0.1" } }],
  [
    "another version of an optional package",
    { "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "1.9.9" } },
  ],
  ["nothing", {}],
])("installs when %s is installed", (_, packages) => {
  installed(packages);
  launch("scripts/args.ts");
  expect(existsSync(join(root, "npm-args"))).toBe(true);
});

test("passes on the exit code, and finds tools in node_modules/.bin", () => {
  installed({ "node_modules/a": { version: "1.0.0" } });
  mkdirSync(join(root, "node_modules/.bin"));
  const tool = "#!/usr/bin/env node\nconsole.log(process.execPath); process.exit(7);\n";
  writeFileSync(join(root, "node_modules/.bin/tool"), tool, { mode: 0o755 });
  expect(launch("tool")).toMatchObject({ status: 7, stdout: `${process.execPath}\n` });
  expect(launch("no-such-tool").status).toBe(1);
});

test("passes SIGTERM on and waits for the target to end", async () => {
  installed({ "node_modules/a": { version: "1.0.0" } });
  writeFileSync(
    join(root, "scripts/wait.ts"),
    `process.on("SIGTERM", () => setTimeout(() => process.exit(5), 100));
     setInterval(() => {}, 1000); console.log("waiting");`,
  );
  const child = spawn(process.execPath, [join(root, "scripts/launch.mjs"), "scripts/wait.ts"]);
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([5, null]);
});
