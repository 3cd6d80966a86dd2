// `npm run dev [-- --port N]`: all Workers under `wrangler dev`, rebuilt when a source changes.
//
// For working on the code. Its state is apart (.wrangler/state), its queue lives in memory, and its
// proxy costs several times what a request costs: `npm run serve` is the server that keeps.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, findWorkerConfigs } from "../embedded/worker-configs.ts";
import { WRANGLER } from "../embedded/wrangler.ts";
import { generateTypes } from "./types.ts";

const { values } = parseArgs({ options: { port: { type: "string", default: "8000" } } });
const { port } = values;
const token = devToken();
await generateTypes();
console.log(`http://127.0.0.1:${port}  ADMIN_TOKEN ${token} (from .dev.vars)`);

const configs = findWorkerConfigs().flatMap((path) => ["-c", path]);
const args = [WRANGLER, "dev", ...configs, "--port", port];
const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" };
const child = spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit", env });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));

/** Made once; git ignores the file. */
function devToken(): string {
  const path = join(ROOT, ".dev.vars");
  if (!existsSync(path)) {
    const made = randomBytes(24).toString("base64url");
    writeFileSync(path, `ADMIN_TOKEN=${made}\n`, { mode: 0o600 });
  }
  const token = /^ADMIN_TOKEN=(.+)$/m.exec(readFileSync(path, "utf8"))?.[1];
  if (token === undefined) throw new Error(".dev.vars has no ADMIN_TOKEN=… line");
  return token;
}
