// A real Prometheus beside the server: it scrapes, stores, and is asked over its own HTTP API.

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** One series: labels without the scraper's own, and what every scrape has found. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Time in seconds and value, in the order of the scrapes. */
  readonly samples: readonly (readonly [number, number])[];
}

/** Null: there is none on this machine's PATH. */
export function prometheusVersion(): string | null {
  const { status, stdout, stderr } = spawnSync("prometheus", ["--version"], { encoding: "utf8" });
  return status === 0 ? (/version (\S+)/.exec(stdout + stderr)?.[1] ?? "unknown") : null;
}

export class Prometheus {
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-prometheus-"));
  #child: ChildProcess | undefined;
  #url = "";

  /** Scrapes `target`, `host:port`, every second. */
  async start(target: string): Promise<void> {
    const config = {
      global: { scrape_interval: "1s", scrape_timeout: "1s" },
      scrape_configs: [{ job_name: "sluice", static_configs: [{ targets: [target] }] }],
    };
    const configPath = join(this.#folder, "prometheus.yml");
    // YAML 1.2 contains JSON.
    writeFileSync(configPath, JSON.stringify(config));
    const port = await freePort();
    this.#url = `http://127.0.0.1:${port}`;
    const args = [
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${join(this.#folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ];
    this.#child = spawn("prometheus", args, { stdio: ["ignore", "ignore", "inherit"] });
    while (!(await this.#isReady())) await sleep(50);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Every sample of what the selector finds, of the last ten minutes. */
  async samples(selector: string): Promise<Series[]> {
    const { result } = await this.#ask(`${selector}[10m]`);
    return result.map(({ metric, values }) => ({
      ...named(metric),
      samples: values!.map(([time, value]) => [time, Number(value)] as const),
    }));
  }

  /** The value of each series now. */
  async values(expression: string): Promise<Series[]> {
    const { result } = await this.#ask(expression);
    return result.map(({ metric, value }) => ({
      ...named(metric),
      samples: [[value![0], Number(value![1])]],
    }));
  }

  async #ask(query: string): Promise<QueryResult> {
    const response = await fetch(`${this.#url}/api/v1/query?${new URLSearchParams({ query })}`);
    const { status, data, error } = (await response.json()) as ApiAnswer;
    if (status !== "success") throw new Error(`${query}: ${error}`);
    return data;
  }

  async #isReady(): Promise<boolean> {
    if (this.#child!.exitCode !== null) throw new Error("prometheus ended at its start");
    const answer = await fetch(`${this.#url}/-/ready`).catch(() => null);
    return answer?.ok === true;
  }
}

interface QueryResult {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value?: readonly [number, string];
    readonly values?: readonly (readonly [number, string])[];
  }[];
}

interface ApiAnswer {
  readonly status: string;
  readonly data: QueryResult;
  readonly error?: string;
}

function named(metric: Readonly<Record<string, string>>): Omit<Series, "samples"> {
  const { __name__: name = "", instance: _instance, job: _job, ...labels } = metric;
  return { name, labels };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
