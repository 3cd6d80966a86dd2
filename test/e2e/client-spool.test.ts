// Batches outlive their process: what was on the disk is sent by the next one, and stored once.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { SluiceClient } from "../../clients/client/client.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";
import { FaultyProxy } from "../clients/client/faulty-proxy.ts";
import type { Fault } from "../clients/client/faulty-proxy.ts";

const WRITER = fileURLToPath(new URL("../clients/client/spool-writer.ts", import.meta.url));

const stack = new Stack();
let decide: () => Fault = () => "none";
let proxy: FaultyProxy;
let folder: string;

beforeAll(async () => {
  await stack.start();
  proxy = await FaultyProxy.open(
    () => stack.url,
    () => decide(),
  );
}, 120_000);

afterAll(async () => {
  proxy.close();
  await stack.remove();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-spool-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function clientOf(options: object = {}): SluiceClient {
  const given = { url: proxy.url, token: ADMIN_TOKEN, spoolFolder: folder };
  return new SluiceClient({ ...given, onError: () => {}, ...options });
}

async function tally(table: string): Promise<unknown> {
  const client = new SluiceClient({ url: stack.url, token: ADMIN_TOKEN });
  const sql = `SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM ${table}`;
  return (await client.query(sql))[0];
}

test("rows of a killed process are stored once, those that were committed unheard, too", async () => {
  // Every other batch is committed, and nobody hears of any.
  let requests = 0;
  decide = () => (++requests % 2 === 0 ? "cut" : "refuse");
  const args = [WRITER, proxy.url, ADMIN_TOKEN, folder, "20", "100"];
  const writer = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  const exit = once(writer, "exit");
  while (readdirSync(folder).filter((name) => name.endsWith(".batch")).length < 20) {
    expect(writer.exitCode).toBeNull();
    await sleep(20);
  }
  while (proxy.counts.cut < 5) await sleep(20);
  writer.kill("SIGKILL");
  await exit;

  decide = () => (++requests % 3 === 0 ? "cut" : "none");
  const client = clientOf();
  await client.flush();
  expect(await tally("spooled")).toEqual({ rows: 2_000, ids: 2_000 });
  expect(readdirSync(folder)).toEqual([]);
  await client.close();
}, 60_000);

test("two clients on one folder store each row once", async () => {
  decide = () => "busy";
  const first = clientOf({ batchRowsMax: 10 });
  await first.write(
    "shared",
    Array.from({ length: 100 }, (_, id) => ({ id })),
  );
  while (readdirSync(folder).filter((name) => name.endsWith(".batch")).length < 10) await sleep(5);
  const second = clientOf();
  decide = () => "none";
  await Promise.all([first.close(), second.close()]);
  expect(await tally("shared")).toEqual({ rows: 100, ids: 100 });
  expect(readdirSync(folder)).toEqual([]);
}, 60_000);

test("a batch that is refused is put aside, and the error names its file", async () => {
  decide = () => "none";
  const client = clientOf();
  await client.write("aside", { id: 1, level: 1 });
  await client.flush();
  await client.write("aside", { id: 2, level: true });
  const file = expect.stringMatching(/\.batch\.refused$/);
  await expect(client.flush()).rejects.toMatchObject({ batches: [{ rowCount: 1, file }] });
  expect(readdirSync(folder)).toEqual([file]);
  await client.close();
  // It is for people: the next client leaves it alone.
  await clientOf().close();
}, 60_000);

test("a client that is closed in a hurry leaves its batches to the next one", async () => {
  decide = () => "busy";
  const client = clientOf();
  await client.write("hurried", { id: 1 });
  const file = expect.stringMatching(/\.batch$/);
  const closing = client.close({ signal: AbortSignal.timeout(300) });
  await expect(closing).rejects.toMatchObject({ batches: [{ code: "unanswered", file }] });
  decide = () => "none";
  await clientOf().close();
  expect(await tally("hurried")).toEqual({ rows: 1, ids: 1 });
}, 60_000);

test("a disk that fails is told of, and the rows are sent all the same", async () => {
  decide = () => "none";
  const path = join(folder, "a-file");
  writeFileSync(path, "");
  const heard: unknown[] = [];
  const client = clientOf({ spoolFolder: path, onError: (error: unknown) => heard.push(error) });
  await client.write("diskless", { id: 1 });
  await client.close();
  expect(heard).toContainEqual(expect.objectContaining({ code: "spool_failed" }));
  expect(await tally("diskless")).toEqual({ rows: 1, ids: 1 });
}, 60_000);

test("a file that is no batch is told of, and holds up none of the others", async () => {
  decide = () => "refuse";
  const early = clientOf();
  await early.write("besides", { id: 1 });
  await early.close({ signal: AbortSignal.timeout(500) }).catch(() => {});
  writeFileSync(join(folder, "000000000000001-broken.batch"), "");
  decide = () => "none";
  const heard: unknown[] = [];
  const client = clientOf({ onError: (error: unknown) => heard.push(error) });
  await client.close();
  expect(heard).toEqual([expect.objectContaining({ code: "spool_failed" })]);
  expect(await tally("besides")).toEqual({ rows: 1, ids: 1 });
  expect(readdirSync(folder)).toEqual(["000000000000001-broken.batch"]);
}, 60_000);
