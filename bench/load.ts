// A closed loop of writers over loopback: each sends its next body when the last is acknowledged.

import { Agent, request } from "node:http";

import type { Caller } from "../scripts/demo/api.ts";

/** Sends each body once, in order, `concurrency` at a time; returns their latencies in ms. */
export async function sendBodies(
  caller: Caller,
  bodies: readonly { database: string; body: Uint8Array }[],
  concurrency: number,
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const latenciesMs: number[] = [];
  const waiting = bodies.values();
  const writer = async () => {
    for (const { database, body } of waiting) {
      const startedMs = performance.now();
      await write(agent, caller, database, body);
      latenciesMs.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, writer));
  agent.destroy();
  return latenciesMs;
}

/** Rejects unless the answer is 204: a benchmark counts acknowledged batches and nothing else. */
function write(agent: Agent, caller: Caller, database: string, body: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const headers = {
    authorization: `Bearer ${caller.token}`,
    "content-encoding": "gzip",
    "content-length": body.length,
    "x-arc-database": database,
  };
  const url = `${caller.url}/api/v1/write/msgpack`;
  const post = request(url, { method: "POST", agent, headers }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk));
    response.on("end", () => {
      if (response.statusCode === 204) resolve();
      else reject(new Error(`write answered ${response.statusCode}: ${text}`));
    });
  });
  post.on("error", reject);
  post.end(body);
  return promise;
}
