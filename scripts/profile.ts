// `npm run profile`: what a running local server spends its CPU time on, as .cpuprofile files.
//
//   npm run serve -- --data .data --inspect
//   npm run profile -- --data .data [--seconds 10] [--out .data/profiles]
//
// All Workers of the server are profiled at once; one file each, to be opened in Chrome's DevTools,
// VS Code or speedscope, and their busiest functions are printed. The inspector is V8's, and who
// reaches it may run anything in the Workers: so a server opens one only when told to, and on a
// port of this machine that the system chooses.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { INSPECTOR_FILE } from "../embedded/workerd-process.ts";
import { busiest, type CpuProfile, takeProfile, targetsOf } from "./profile/inspector.ts";

const SHOWN = 12;
const IDLE_BELOW = 0.001;

const { values: flags } = parseArgs({
  options: {
    data: { type: "string", default: process.env["SLUICE_DATA"] ?? ".data" },
    seconds: { type: "string", default: "10" },
    out: { type: "string" },
  },
});
const seconds = Number(flags.seconds);
if (!(seconds > 0)) fail(`--seconds must be a number above 0, not ${flags.seconds}`);
const folder = flags.out ?? join(flags.data, "profiles");
const targets = await targetsOf(inspectorPort(flags.data));
console.log(`profiling ${targets.map(({ id }) => id).join(", ")} for ${seconds} s`);
const profiles = await Promise.all(targets.map((target) => takeProfile(target, seconds * 1_000)));
mkdirSync(folder, { recursive: true });
for (const [at, profile] of profiles.entries()) {
  const path = join(folder, `${targets[at]!.id}.cpuprofile`);
  writeFileSync(path, JSON.stringify(profile));
  show(path, profile);
}

function inspectorPort(data: string): number {
  const path = join(data, INSPECTOR_FILE);
  if (!existsSync(path)) {
    fail(
      `no inspector below ${data}: start the server with npm run serve -- --data ${data} --inspect`,
    );
  }
  return Number(readFileSync(path, "utf8"));
}

function show(path: string, profile: CpuProfile): void {
  const { busyShare, functions } = busiest(profile);
  console.log(`\n${path}: busy ${(busyShare * 100).toFixed(1)} % of the time`);
  for (const { name, place, share } of functions.slice(0, SHOWN)) {
    if (share < IDLE_BELOW) break;
    console.log(`  ${(share * 100).toFixed(1).padStart(5)} %  ${name}  ${place}`);
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
