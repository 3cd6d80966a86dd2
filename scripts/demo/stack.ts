// Starts the whole stack as `npm run serve` does, and stops it.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SERVE = fileURLToPath(new URL("../serve.ts", import.meta.url));

export interface StackOptions {
  readonly port: number;
  readonly dataDir: string;
  readonly adminToken: string;
  /** What the server says, as JSON lines. */
  readonly logFile: string;
  /** Values for variables of wrangler.toml other than those that stand there. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface Stack {
  readonly url: string;
  readonly pid: number;
  readonly isStopping: boolean;
  /** Resolves with the exit code when the server ends, whoever ended it. */
  readonly ended: Promise<number | null>;
  /** Lets requests in progress finish; resolves when the server is gone. */
  stop(): Promise<void>;
}

/** Resolves when the server answers requests; rejects with its last words if it never does. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { port, dataDir, logFile } = options;
  const log = openSync(logFile, "a");
  const args = [SERVE, "--port", String(port), "--data", dataDir];
  // By the environment, because a command line can be read by every user of the machine.
  const values = { ADMIN_TOKEN: options.adminToken, ...options.variables };
  const env = { ...process.env, ...prefixNames("SLUICE_", values) };
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", log], env });
  closeSync(log);
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const url = await Promise.race([readyUrl(child), ended]);
  if (typeof url !== "string") {
    const lastWords = readFileSync(logFile, "utf8").split("\n").slice(-20).join("\n");
    throw new Error(`the server ended with code ${url} before it was ready\n${lastWords}`);
  }
  let isStopping = false;
  return {
    url,
    pid: child.pid!,
    get isStopping() {
      return isStopping;
    },
    ended,
    stop: async () => {
      isStopping = true;
      child.kill("SIGTERM");
      await ended;
    },
  };
}

export async function isPortFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, "127.0.0.1");
    await once(probe, "listening");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  } finally {
    probe.close();
  }
}

function prefixNames(prefix: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]),
  );
}

/** From the line `ready http://127.0.0.1:8000`. Keeps reading, so that the pipe never fills up. */
function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const url = /^ready (http:\S+)$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}
