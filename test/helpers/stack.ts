// The real server in a process group of its own, as `npm run serve` starts it, for tests that talk
// to it over HTTP, kill it and start it again.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SERVE = fileURLToPath(new URL("../../scripts/serve.ts", import.meta.url));

export const ADMIN_TOKEN = "test-admin-token";

export class Stack {
  /** Everything the server keeps. Removed by `remove`. */
  readonly folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  readonly logPath = join(this.folder, "server.log");
  readonly #values: Readonly<Record<string, string>>;
  readonly #script: string;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #port = 0;

  /**
   * `values` are variables of the Workers by name, e.g. `{ SEAL_AFTER_MS: "200" }`. Unless they say
   * otherwise the server keeps no rows of its own, so that a test finds what it has stored alone.
   * `script` starts a server of another shape. `flags` are added to its command line.
   */
  constructor(
    values: Readonly<Record<string, string>> = {},
    script = SERVE,
    flags: readonly string[] = [],
  ) {
    this.#flags = flags;
    this.#values = { ADMIN_TOKEN, SELF_DATABASE: "", ...values };
    this.#script = script;
  }

  /** Stays the same through restarts. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Resolves when the server is ready; rejects with what it logged if it ends before. */
  async start(): Promise<void> {
    const log = openSync(this.logPath, "a");
    const values = Object.entries(this.#values).map(([name, value]) => [`SLUICE_${name}`, value]);
    const data = join(this.folder, "data");
    const args = [this.#script, "--port", String(this.#port), "--data", data, ...this.#flags];
    const child = spawn(process.execPath, args, {
      detached: true,
      stdio: ["ignore", "pipe", log],
      env: { ...process.env, ...Object.fromEntries(values) },
    });
    closeSync(log);
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout! })) {
      const port = /^ready http:\/\/127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
      if (port === undefined) continue;
      this.#port = Number(port);
      return;
    }
    throw new Error(`the server did not start:\n${readFileSync(this.logPath, "utf8")}`);
  }

  /** SIGTERM to the server alone. Returns its exit code. */
  async stop(): Promise<number | null> {
    return this.end("SIGTERM", this.pid);
  }

  /** SIGKILL to the whole process group: what a crash of the machine looks like to the files. */
  async kill(): Promise<void> {
    await this.end("SIGKILL", -this.pid);
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Ends what runs and removes the folder. */
  async remove(): Promise<void> {
    if (this.#child !== undefined) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** `target` is a process id, or a group's as a negative one. Returns the exit code. */
  async end(signal: NodeJS.Signals, target: number): Promise<number | null> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exit = once(child, "exit");
    process.kill(target, signal);
    const [code] = (await exit) as [number | null];
    return code;
  }
}
