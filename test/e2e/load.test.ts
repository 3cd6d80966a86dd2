// `sluice load` as a process: against the real stack, and through a proxy that cheats.

import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runCli } from "../helpers/run-cli.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack();
beforeAll(() => stack.start());
afterAll(() => stack.remove());

interface Report {
  total_sent: number;
  total_errors: number;
  errors: Record<string, number>;
  back_pressure: { answers: number; retry_after_ms_max: number };
  latency_ms: Record<string, number | null>;
  verification: { rows_found: number; differences: string[] } | null;
}

describe("sluice load", () => {
  test("reports as it should be, and finds every row of each kind again", async () => {
    for (const kind of ["events", "logs", "traces", "metrics", "mixed"]) {
      const { code, stdout } = await load(stack.url, ["--kind", kind, "--verify"]);
      expect([kind, code]).toEqual([kind, 0]);
      expect(stdout).toMatch(/^Total Sent: +20,000 \w+$/m);
      expect(stdout).toMatch(/^Total Errors: +0$/m);
      expect(stdout).toMatch(/^Success Rate: +100\.00%$/m);
      expect(stdout).toMatch(/^Verified: +yes, 20,000 of 20,000/m);
      for (const name of ["p50", "p95", "p99", "p999"]) {
        expect(stdout).toMatch(new RegExp(`^  ${name}: +[\\d.]+$`, "m"));
      }
    }
  });

  test("gives the report as JSON alone on standard output", async () => {
    const { stdout, stderr } = await load(stack.url, ["--json"]);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ total_sent: 20_000, total_errors: 0, verification: null });
    expect(report.latency_ms["p50"]).toBeGreaterThan(0);
    expect(stderr).toContain("Test Complete");
  });

  test("tells a batch that was acknowledged and not stored, and one stored twice", async () => {
    const lossy = await startProxy((count) => (count === 7 ? "swallow" : "pass"));
    const lost = await load(lossy.url, ["--verify", "--json"]);
    const { verification } = JSON.parse(lost.stdout) as Report;
    expect([lost.code, verification!.rows_found]).toEqual([1, 19_000]);
    expect(verification!.differences).toEqual([
      "system_events, batch 7: 0 rows are found, 1000 were acknowledged",
    ]);
    lossy.close();

    const doubling = await startProxy((count) => (count === 3 ? "double" : "pass"));
    const twice = await load(doubling.url, ["--verify", "--json"]);
    expect(twice.code).toBe(1);
    expect((JSON.parse(twice.stdout) as Report).verification!.differences).toEqual([
      "system_events, batch 3: 2000 rows are found, 1000 were acknowledged",
    ]);
    doubling.close();
  });

  test("counts errors by kind and back-pressure, sends nothing again, and verifies the rest", async () => {
    const tricks = ["pass", "refuse", "pass", "cut"] as const;
    const proxy = await startProxy((count) => tricks[count % tricks.length]!);
    const { code, stdout } = await load(proxy.url, ["--verify", "--json", "--workers", "1"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      total_sent: 10_000,
      total_errors: 10,
      errors: { "HTTP 429": 5, ECONNRESET: 5 },
      back_pressure: { answers: 5, retry_after_ms_max: 2_000 },
      verification: { differences: [] },
    });
    proxy.close();
  });

  test("fails when nothing is acknowledged", async () => {
    const { code, stdout } = await load("http://127.0.0.1:21698", ["--json"]);
    expect(code).toBe(1);
    expect((JSON.parse(stdout) as Report).errors).toEqual({ ECONNREFUSED: 20 });
  });

  test("ends early at Ctrl-C, with its report", async () => {
    const words = ["load", "--url", stack.url, "--token", ADMIN_TOKEN, "--database", "interrupted"];
    const settings = ["--rps", "1000", "--batch-size", "100", "--duration", "100"];
    const { code, stdout } = await runCli([...words, ...settings], { signalAtOutput: "SIGINT" });
    expect(stdout).toContain("Test Complete");
    expect(code).toBe(0);
  });
});

/** 20 requests of 1,000 rows within a second. */
function load(url: string, words: readonly string[]) {
  const settings = ["--rps", "20000", "--duration", "1", "--batch-size", "1000"];
  return runCli(["load", "--url", url, "--token", ADMIN_TOKEN, ...settings, ...words]);
}

type Trick = "pass" | "swallow" | "double" | "refuse" | "cut";

/** Between client and server: plays its trick on the n-th write, counted from 0. */
async function startProxy(trick: (count: number) => Trick) {
  let count = 0;
  const server: Server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const isWrite = incoming.url!.startsWith("/api/v1/write/");
    const played = isWrite ? trick(count++) : "pass";
    if (played === "swallow") return response.writeHead(204).end();
    if (played === "refuse") return response.writeHead(429, { "retry-after": "2" }).end();
    const headers = { ...incoming.headers, host: new URL(stack.url).host };
    if (played === "double") {
      await pass(
        incoming.method!,
        incoming.url!,
        { ...headers, "idempotency-key": `twin-${count}` },
        body,
      );
    }
    const answer = await pass(incoming.method!, incoming.url!, headers, body);
    // Stored, and the client never hears of it.
    if (played === "cut") return incoming.socket.resetAndDestroy();
    return response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => void server.close(),
  };
}

interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

function pass(method: string, path: string, headers: NodeJS.Dict<string | string[]>, body: Buffer) {
  return new Promise<Answer>((resolve, reject) => {
    const post = request(stack.url + path, { method, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const { statusCode: status = 0, headers: found } = response;
      resolve({ status, headers: found, body: Buffer.concat(chunks) });
    });
    post.on("error", reject);
    post.end(body);
  });
}
