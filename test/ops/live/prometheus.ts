// A real Prometheus on a free port, with our rules in a hurry: the same expressions, but minutes
// have become seconds, because nobody wants to wait an hour for a window to fill.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RULES_FOLDER } from "../rule-files.ts";

const FIRST_PORT = 22_600;
const READY_MS_MAX = 20_000;
const RULE_FILES = ["alerts.yml", "recording.yml"];

export interface Target {
  readonly url: string;
  readonly token: string;
}
export interface ActiveAlert {
  readonly state: "pending" | "firing";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

export class Prometheus {
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-prometheus-"));
  #child: ChildProcess | undefined;
  #url = "";

  async start(targets: readonly Target[]): Promise<void> {
    const port = await freePort(FIRST_PORT);
    this.#url = `http://127.0.0.1:${port}`;
    for (const file of RULE_FILES) {
      writeFileSync(join(this.#folder, file), hurried(readFileSync(RULES_FOLDER + file, "utf8")));
    }
    writeFileSync(join(this.#folder, "prometheus.yml"), configuration(targets));
    const child = spawn(
      "prometheus",
      [
        `--config.file=${join(this.#folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(this.#folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=warn",
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    this.#child = child;
    const deadlineMs = Date.now() + READY_MS_MAX;
    while (!(await isReady(this.#url))) {
      if (Date.now() > deadlineMs) throw new Error("Prometheus does not start");
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    if (this.#child?.exitCode === null) {
      const exit = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await exit;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Names of all alerting rules that were loaded; throws when one cannot be evaluated. */
  async loadedAlerts(): Promise<string[]> {
    const { groups } = await this.#get<{
      groups: { rules: { type: string; name: string; health: string; lastError?: string }[] }[];
    }>("rules");
    const rules = groups.flatMap((group) => group.rules);
    const ill = rules.filter(({ health }) => health === "err");
    if (ill.length > 0) throw new Error(`${ill[0]!.name}: ${ill[0]!.lastError}`);
    return rules.filter(({ type }) => type === "alerting").map(({ name }) => name);
  }

  async alerts(): Promise<readonly ActiveAlert[]> {
    return (await this.#get<{ alerts: ActiveAlert[] }>("alerts")).alerts;
  }

  /** The last minute. Throws what Prometheus says is wrong with the expression. */
  async range(expression: string): Promise<readonly Series[]> {
    const nowS = Date.now() / 1_000;
    const window = { start: String(nowS - 60), end: String(nowS), step: "1" };
    const parameters = new URLSearchParams({ query: expression, ...window });
    return (await this.#get<{ result: Series[] }>(`query_range?${parameters}`)).result;
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1/${path}`);
    const answer = (await response.json()) as { status: string; error?: string; data: T };
    if (answer.status !== "success") throw new Error(answer.error);
    return answer.data;
  }
}

/** The thresholds stay, except those of age: five minutes and half an hour of waiting. */
export function hurried(rules: string): string {
  return rules
    .replace(/\bfor: \d+[smh]/g, "for: 2s")
    .replace(/\binterval: \d+[smh]/g, "interval: 1s")
    .replace(/\[(?:5|10|15)m\]/g, "[15s]")
    .replace(/\[(?:30m|1h|6h)\]/g, "[30s]")
    .replace(/\boffset 1h/g, "offset 30s")
    .replace("oldest_unflushed_seconds > 300", "oldest_unflushed_seconds > 10")
    .replace("oldest_unflushed_seconds > 1800", "oldest_unflushed_seconds > 20");
}

function configuration(targets: readonly Target[]): string {
  const jobs = targets.map(({ url, token }) => ({
    job_name: "sluice",
    authorization: { credentials: token },
    static_configs: [{ targets: [new URL(url).host] }],
  }));
  // YAML takes JSON.
  return JSON.stringify({
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    rule_files: RULE_FILES,
    scrape_configs: jobs,
  });
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function freePort(first: number): Promise<number> {
  for (let port = first; ; port++) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
