// One workerd: started, watched, started again when it dies, ended with what it has in flight.
//
// workerd keeps its promise through kill -9, so starting it again is always safe. A first start
// that fails is not tried again: then the configuration or the port is wrong, and trying would
// only hide it.

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { arch, platform } from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { StartRefused } from "./data-folder.ts";
import { log, passOn } from "./log.ts";
import { HOST_SOCKET, HTTP_SOCKET } from "./workerd-config.ts";

const CONFIG_FILE = "workerd.capnp";
const PID_FILE = "workerd.pid";
/** Where a profiler finds the inspector, as long as there is one. */
export const INSPECTOR_FILE = "inspector-port";
/**
 * Ctrl-C goes to every process of a terminal, and workerd would drop what it has in flight. An
 * ignored signal stays ignored through exec, so it waits for our SIGTERM instead.
 */
const IGNORING_INTERRUPTS = `trap "" INT; exec "$0" "$@"`;
const RESTART_AFTER_MS = 200;
const RESTART_AFTER_MS_MAX = 5_000;
/** As Cloudflare gives requests in flight about half a minute. */
export const DRAIN_MS_MAX = 25_000;
/** A process that ran this long was well; its end is not counted with earlier ones. */
const STEADY_MS = 30_000;

interface ControlEvent {
  readonly event: string;
  readonly socket?: string;
  readonly port: number;
}

export class WorkerdProcess {
  readonly #folder: string;
  readonly #configPath: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #isInspected: boolean;
  #child: ChildProcess | undefined;
  #isStopping = false;

  /**
   * Relative paths in `config` are below `folder`. `secrets` become the whole environment.
   * `isInspected` opens V8's inspector on a port of this machine: whoever reaches it rules the
   * Workers.
   */
  constructor(
    folder: string,
    config: string,
    secrets: Readonly<Record<string, string>>,
    isInspected = false,
  ) {
    this.#folder = folder;
    this.#configPath = join(folder, CONFIG_FILE);
    this.#environment = secrets;
    this.#isInspected = isInspected;
    // Variables stand in it, a key for a collector among them.
    writeFileSync(this.#configPath, config, { mode: 0o600 });
  }

  /** Resolves with the port once workerd listens; 0 lets the system choose one. */
  async start(port: number): Promise<number> {
    await killLeftover(this.#pidPath(), this.#configPath);
    const { exit, listening } = this.#spawn(port);
    const actualPort = await Promise.race([
      listening,
      exit.then((code) => {
        throw new StartRefused(`workerd ended with ${code} before it listened, see above`);
      }),
    ]);
    void this.#restartForever(actualPort, exit);
    return actualPort;
  }

  /** undefined: it does not run, or is just being started. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Lets requests in flight finish. True if workerd ended by itself within the time given. */
  async stop(withinMs = DRAIN_MS_MAX): Promise<boolean> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return true;
    const exit = exitOf(child);
    child.kill("SIGTERM");
    const isDrained = await Promise.race([exit.then(() => true), afterMs(withinMs, false)]);
    this.kill();
    await exit;
    rmSync(this.#pidPath(), { force: true });
    rmSync(this.#inspectorPath(), { force: true });
    return isDrained;
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async #restartForever(port: number, firstExit: Promise<string>): Promise<void> {
    let exit = firstExit;
    let pauseMs = RESTART_AFTER_MS;
    for (;;) {
      const startedMs = performance.now();
      const reason = await exit;
      if (this.#isStopping) return;
      if (performance.now() - startedMs > STEADY_MS) pauseMs = RESTART_AFTER_MS;
      log("error", `workerd ended unexpectedly with ${reason}; starting it again in ${pauseMs} ms`);
      await sleep(pauseMs);
      if (this.#isStopping) return;
      pauseMs = Math.min(pauseMs * 2, RESTART_AFTER_MS_MAX);
      exit = this.#spawn(port).exit;
    }
  }

  #spawn(port: number): { exit: Promise<string>; listening: Promise<number> } {
    const args = [
      "serve",
      "--experimental",
      "--import-path=/",
      "--control-fd=3",
      `--socket-addr=${HTTP_SOCKET}=127.0.0.1:${port}`,
      ...(this.#isInspected ? ["--inspector-addr=127.0.0.1:0"] : []),
      this.#configPath,
    ];
    // One that was killed leaves it behind, and nobody could listen on it again.
    rmSync(join(this.#folder, HOST_SOCKET), { force: true });
    rmSync(this.#inspectorPath(), { force: true });
    const child = spawn("/bin/sh", ["-c", IGNORING_INTERRUPTS, workerdBinary(), ...args], {
      cwd: this.#folder,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    for (const output of [child.stdout!, child.stderr!]) {
      createInterface({ input: output }).on("line", passOn);
    }
    this.#child = child;
    if (child.pid !== undefined) writeFileSync(this.#pidPath(), String(child.pid));
    return { exit: exitOf(child), listening: this.#listeningPort(child.stdio[3] as Readable) };
  }

  /** workerd says `{"event":"listen","socket":"http","port":N}` on its control descriptor. */
  #listeningPort(control: Readable): Promise<number> {
    return new Promise((resolve) => {
      createInterface({ input: control }).on("line", (line) => {
        const { event, socket, port } = JSON.parse(line) as ControlEvent;
        if (event === "listen" && socket === HTTP_SOCKET) resolve(port);
        if (event === "listen-inspector") {
          writeFileSync(this.#inspectorPath(), String(port), { mode: 0o600 });
        }
      });
    });
  }

  #inspectorPath(): string {
    return join(this.#folder, INSPECTOR_FILE);
  }

  #pidPath(): string {
    return join(this.#folder, PID_FILE);
  }
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

function afterMs<T>(ms: number, value: T): Promise<T> {
  return sleep(ms, value, { ref: false });
}

/** The platform's package holds the binary; the one in node_modules/.bin goes through Node. */
function workerdBinary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("workerd/package.json"));
  const cpu = arch === "x64" ? "64" : arch;
  return require.resolve(`@cloudflare/workerd-${platform}-${cpu}/bin/workerd`);
}

/** workerd outlives a supervisor that alone was killed, and would keep the port and the files. */
async function killLeftover(pidPath: string, configPath: string): Promise<void> {
  if (!existsSync(pidPath)) return;
  const pid = Number(readFileSync(pidPath, "utf8"));
  // The id may belong to another process by now: only one that serves our configuration is ours.
  while (commandLineOf(pid).includes(configPath)) {
    log("warn", `ending workerd ${pid}, left behind by a killed server`);
    process.kill(pid, "SIGKILL");
    await sleep(20);
  }
}

function commandLineOf(pid: number): string {
  const file = `/proc/${pid}/cmdline`;
  if (platform === "linux") return existsSync(file) ? readFileSync(file, "utf8") : "";
  return spawnSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout;
}
