// Runs wrangler as a child process: quiet, without metrics, without its log files.
//
// Never imported by the running server: wrangler takes 1.5 s to load, and the server needs none of
// it once the Workers are built.

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ROOT } from "./worker-configs.ts";

export const WRANGLER = join(
  createRequire(import.meta.url).resolve("wrangler/package.json"),
  "../bin/wrangler.js",
);

export const WRANGLER_ENV = {
  CI: "1",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
  FORCE_COLOR: "0",
};

/** Rejects with everything wrangler printed when it fails. */
export function runWrangler(args: string[], root: string = ROOT): Promise<void> {
  const options = { cwd: root, env: { ...process.env, ...WRANGLER_ENV }, maxBuffer: 64 << 20 };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [WRANGLER, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`wrangler ${args.join(" ")} failed\n${stdout}${stderr}`));
    });
  });
}
