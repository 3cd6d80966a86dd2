// One command says what a server under load spends its time on, in functions of ours by name.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CpuProfile } from "../../scripts/profile/inspector.ts";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack({}, undefined, ["--inspect"]);
const client = new HttpClient(() => stack.url);
const data = join(stack.folder, "data");

beforeAll(() => stack.start());
afterAll(() => stack.remove());

async function runProfile(...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, ["scripts/profile.ts", ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}

test("a profile under load names our functions", async () => {
  let isOver = false;
  const rows = Array.from({ length: 5_000 }, (_, at) => at);
  const batch = encodeBatch("profiled", { time: rows, value: rows.map((at) => at / 7) });
  const load = (async () => {
    while (!isOver) expect((await client.write(batch)).status).toBe(204);
  })();
  const { code, output } = await runProfile("--data", data, "--seconds", "2");
  isOver = true;
  await load;
  expect(code, output).toBe(0);
  expect(output).toContain("sluice.cpuprofile: busy");
  const text = readFileSync(join(data, "profiles/sluice.cpuprofile"), "utf8");
  const { nodes } = JSON.parse(text) as CpuProfile;
  const names = new Set(nodes.map(({ callFrame }) => callFrame.functionName));
  // Each body is checked byte by byte: lib/protocol/scan-batch.ts.
  expect([...names]).toContain("scanBatch");
  expect([...names]).toContain("writeMsgpack");
}, 60_000);

test("the inspector's port is its owner's to know, and goes with the server", async () => {
  const path = join(data, "inspector-port");
  expect(statSync(path).mode & 0o077).toBe(0);
  expect(await stack.stop()).toBe(0);
  expect(existsSync(path)).toBe(false);
  const { code, output } = await runProfile("--data", data);
  expect(code).toBe(1);
  expect(output).toContain("--inspect");
}, 60_000);
