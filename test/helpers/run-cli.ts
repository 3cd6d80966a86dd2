// Runs the command line as a process of its own, as a user would.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../clients/cli/main.ts", import.meta.url));

export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sent once standard output has shown something. */
  readonly signalAtOutput?: NodeJS.Signals;
}

export async function runCli(words: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const { stdin = "", env = {}, signalAtOutput } = options;
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { ...process.env, SLUICE_TOKEN: "", SLUICE_URL: "", SLUICE_DATABASE: "", ...env },
  });
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  if (signalAtOutput !== undefined) child.stdout.once("data", () => child.kill(signalAtOutput));
  const exit = once(child, "exit");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await exit) as [number | null];
  return { code, stdout, stderr };
}
