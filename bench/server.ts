// A server of its own for a benchmark: the real stack on workerd, without wrangler's proxy.

import { randomBytes } from "node:crypto";
import { join } from "node:path";

import type { Caller } from "../scripts/demo/api.ts";
import { startStack, type Stack } from "../scripts/demo/stack.ts";
import { cpuSeconds, findDescendant } from "./process-stats.ts";

/** Nothing is stored, flushed or merged unless asked for, so that each is measured apart. */
const NEVER_BY_ITSELF = {
  SELF_DATABASE: "",
  SEAL_BYTES: "1000000000000",
  SEAL_AFTER_MS: "1000000000",
  COMPACT_AFTER_MS: "1000000000000",
};

export interface BenchServer {
  readonly admin: Caller;
  /** Runs all Workers and Durable Objects. */
  readonly workerdPid: number;
  /** Runs workerd, and keeps the objects that stand for R2. */
  readonly supervisorPid: number;
  stop(): Promise<void>;
}

export interface CpuUse {
  readonly workerdSeconds: number;
  readonly supervisorSeconds: number;
}

export async function startBenchServer(folder: string): Promise<BenchServer> {
  const adminToken = randomBytes(24).toString("base64url");
  const stack: Stack = await startStack({
    port: 0,
    dataDir: join(folder, "data"),
    adminToken,
    logFile: join(folder, "server.log"),
    variables: NEVER_BY_ITSELF,
  });
  return {
    admin: { url: stack.url, token: adminToken },
    workerdPid: findDescendant(stack.pid, "workerd"),
    supervisorPid: stack.pid,
    stop: stack.stop,
  };
}

/** Runs `work` and returns what it took, beside what it returned. */
export async function measureCpu<T>(
  server: BenchServer,
  work: () => Promise<T>,
): Promise<{ result: T; wallSeconds: number } & CpuUse> {
  const workerdBefore = cpuSeconds(server.workerdPid);
  const supervisorBefore = cpuSeconds(server.supervisorPid);
  const startedMs = performance.now();
  const result = await work();
  return {
    result,
    wallSeconds: (performance.now() - startedMs) / 1_000,
    workerdSeconds: cpuSeconds(server.workerdPid) - workerdBefore,
    supervisorSeconds: cpuSeconds(server.supervisorPid) - supervisorBefore,
  };
}
