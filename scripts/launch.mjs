// node scripts/launch.mjs <script.ts or tool> [arguments]
//
// Makes every npm script work on a fresh clone with any Node from 20 on: installs what is missing,
// then runs the target with Node 24, which comes as an npm package and strips types by itself.
// Plain JavaScript without imports from npm, because it runs before anything is installed.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const NODE_MAJOR_MIN = 24;
const root = fileURLToPath(new URL("..", import.meta.url));

if (!isInstalled()) install();
run(process.argv[2], process.argv.slice(3));

/** True when node_modules is what package-lock.json asks for. Optional packages may be absent. */
function isInstalled() {
  const installedPath = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedPath)) return false;
  const installed = JSON.parse(readFileSync(installedPath, "utf8")).packages;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  return Object.entries(wanted).every(([path, { version, optional, devOptional, peer }]) => {
    if (path === "") return true;
    const isAbsent = installed[path] === undefined;
    return isAbsent ? optional || devOptional || peer : installed[path].version === version;
  });
}

function install() {
  console.error("Installing the dependencies named in package-lock.json (once, about a minute) …");
  // Not `npm ci`: it refuses a lock file in which a binary for some other platform is missing,
  // which depends on what the registry had when it was written. `--no-save` leaves the lock file
  // alone.
  const settings = ["--no-save", "--no-audit", "--no-fund", "--include=dev", "--include=optional"];
  // Tools that ask for a newer Node run on the one that is installed here, so no warnings of that.
  const args = ["install", ...settings, "--loglevel=error", "--engine-strict=false"];
  const npm = process.env.npm_execpath;
  const { status, error } = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ["ignore", 2, 2] })
    : spawnSync("npm", args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) fail(`npm install failed${error ? `: ${error.message}` : ", see above"}`);
}

function run(target, args) {
  if (target === undefined) fail("usage: node scripts/launch.mjs <script.ts or tool> [arguments]");
  const node = findNode();
  const path = [join(node, ".."), join(root, "node_modules/.bin"), process.env.PATH];
  const env = { ...process.env, PATH: path.join(delimiter) };
  const [command, commandArgs] = /\.(ts|mjs)$/.test(target)
    ? [node, [join(root, target), ...args]]
    : [join(root, "node_modules/.bin", target), args];
  const child = spawn(command, commandArgs, { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  if (process.env.npm_lifecycle_event) endWithParent(child);
  child.on("error", (error) => fail(`cannot run ${command}: ${error.message}`));
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + constants.signals[signal]);
  });
}

/** npm ends the shell between itself and us on SIGTERM, and the shell does not pass it on. */
function endWithParent(child) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 200);
  watch.unref();
}

function findNode() {
  if (Number.parseInt(process.versions.node) >= NODE_MAJOR_MIN) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const node = join(root, "node_modules", name, "bin/node");
  if (existsSync(node)) return node;
  return fail(
    `Node ${NODE_MAJOR_MIN} or newer is needed; this is ${process.version}, and npm brought no ` +
      `newer one for ${process.platform}-${process.arch}. Install Node ${NODE_MAJOR_MIN} and run again.`,
  );
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
