// The server as a process: it says when it is ready, drains, comes back, and guards its folder.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const SERVE = fileURLToPath(new URL("../../scripts/serve.ts", import.meta.url));

const stack = new Stack();

beforeAll(() => stack.start());
afterAll(() => stack.remove());

const data = join(stack.folder, "data");

function workerdPid(): number {
  return Number(readFileSync(join(data, "workerd.pid"), "utf8"));
}

async function status(path: string): Promise<number> {
  return (await fetch(stack.url + path, { headers: { connection: "close" } })).status;
}

/** Resolves when workerd is another process than `pid` and answers. */
async function untilReplaced(pid: number): Promise<void> {
  for (;;) {
    await sleep(50);
    if (workerdPid() === pid) continue;
    if ((await status("/ready").catch(() => 0)) === 200) return;
  }
}

/** Starts a server that is expected to end by itself. */
function serveOnce(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, SLUICE_ADMIN_TOKEN: "" };
  return spawnSync(process.execPath, [SERVE, ...args], { encoding: "utf8", env });
}

test("a second server on the same folder is refused, and the first goes on", async () => {
  const second = serveOnce("--port", "0", "--data", data);
  expect(second.status).toBe(1);
  expect(second.stdout).toBe("");
  expect(second.stderr).toContain("another server is running on");
  expect(await status("/ready")).toBe(200);
});

test("a taken port is said, not waited for", () => {
  const port = stack.url.split(":").at(-1)!;
  const second = serveOnce("--port", port, "--data", join(stack.folder, "other"));
  expect(second.status).toBe(1);
  expect(second.stderr).toContain("Address already in use");
});

test("a wrong flag is refused by name", () => {
  expect(serveOnce("--port", "eighty").stderr).toContain("--port must be a number");
  expect(serveOnce("--prot", "80").stderr).toContain("--prot");
});

test("workerd alone killed is started again on the same port", async () => {
  const pid = workerdPid();
  process.kill(pid, "SIGKILL");
  await untilReplaced(pid);
  expect(await status("/ready")).toBe(200);
});

test("the supervisor alone killed leaves a workerd that the next start ends", async () => {
  const left = workerdPid();
  process.kill(stack.pid, "SIGKILL");
  await sleep(100);
  expect(() => process.kill(left, 0)).not.toThrow();
  await stack.start();
  expect(workerdPid()).not.toBe(left);
  expect(readFileSync(stack.logPath, "utf8")).toContain(`ending workerd ${left}`);
});

test.each([
  ["SIGTERM to the server", "SIGTERM", 1],
  ["Ctrl-C, which every process of a terminal gets,", "SIGINT", -1],
] as const)("%s lets a request in flight finish, then ends with 0", async (_, signal, group) => {
  const answer = slowRequest();
  await sleep(200);
  const code = stack.end(signal, group * stack.pid);
  // Not a batch, so the answer is a refusal; that it comes at all is the point.
  expect(await answer).toBe(400);
  expect(await code).toBe(0);
  expect(existsSync(join(data, "workerd.pid"))).toBe(false);
  await stack.start();
});

test("kill -9 of everything, and the same command answers again", async () => {
  await stack.restart();
  expect(await status("/ready")).toBe(200);
});

test("no token lies in the folder when one was given; the folder is its owner's", () => {
  expect(existsSync(join(data, "admin-token"))).toBe(false);
  expect(readFileSync(join(data, "workerd.capnp"), "utf8")).not.toContain(ADMIN_TOKEN);
  expect(statSync(data).mode & 0o077).toBe(0);
});

/** Sends its body in two halves, 500 ms apart. */
function slowRequest(): Promise<number> {
  return new Promise((resolve, reject) => {
    const post = request(`${stack.url}/api/v1/write/msgpack`, { method: "POST" }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    post.on("error", reject);
    post.setHeader("authorization", `Bearer ${ADMIN_TOKEN}`);
    post.write(Buffer.of(0x81));
    setTimeout(() => post.end(Buffer.of(0xc0, 0xc0)), 500);
  });
}
