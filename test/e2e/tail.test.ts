// The live tail against the real server: every acknowledged row once and in order, through seals,
// releases and kill -9, or a gap that is told.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LIMITS } from "#lib/base/limits.ts";
import { encodeBatch, HttpClient } from "../helpers/http-client.ts";
import { SseReader } from "../helpers/sse-reader.ts";
import { Stack } from "../helpers/stack.ts";

const stack = new Stack({
  SEAL_BYTES: "4000",
  SEAL_AFTER_MS: "1000",
  EVENT_HEARTBEAT_MS: "500",
});
const client = new HttpClient(() => stack.url);

beforeAll(() => stack.start());
afterAll(() => stack.remove());

interface NumberedRow {
  readonly n: number;
}

const rowOf = ({ data }: { readonly data: string }) => JSON.parse(data) as NumberedRow;

async function write(measurement: string, numbers: readonly number[]): Promise<void> {
  const body = encodeBatch(measurement, {
    time: numbers.map((n) => 1_790_000_000_000 + n),
    n: numbers,
    text: numbers.map((n) => `row ${n} ${Math.random()}`),
  });
  const response = await client.write(body);
  if (response.status !== 204) throw new Error(`${response.status} ${await response.text()}`);
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

test("shows a row as the query does, whichever way it came", async () => {
  await write("forms", [0]);
  const tail = await SseReader.open(client, "/api/v1/tail/forms");
  expect(tail.response.headers.get("content-type")).toContain("text/event-stream");
  await write("forms", [1]);
  await client.fetch("/api/v1/write/line-protocol", {
    method: "POST",
    body: 'forms,host=a n=2i,load=0.5,up=t,text="täx\\"t" 1790000000000002001\n',
  });
  const shown = await tail.take(2);
  const response = await client.post("/api/v1/query", {
    sql: "SELECT * FROM forms WHERE n > 0 ORDER BY n",
    format: "ndjson",
  });
  const asked = (await response.text()).trim().split("\n");
  expect(JSON.parse(shown[1]!.data)).toEqual(JSON.parse(asked[1]!));
  expect(shown[1]!.data).toBe(asked[1]);
  expect(JSON.parse(asked[0]!)).toMatchObject(JSON.parse(shown[0]!.data) as object);
  tail.close();
});

test("shows each of 100 batches once and in order while segments come and go", async () => {
  await write("busy", [0]);
  const tail = await SseReader.open(client, "/api/v1/tail/busy");
  const writing = (async () => {
    for (let batch = 0; batch < 100; batch++) await write("busy", range(1 + batch * 20, 20));
  })();
  const shown = await tail.take(2_000);
  await writing;
  expect(shown.map((event) => rowOf(event).n)).toEqual(range(1, 2_000));
  tail.close();
});

test("goes on behind the last message after kill -9", async () => {
  await write("killed", [0]);
  let tail = await SseReader.open(client, "/api/v1/tail/killed");
  let next = 1;
  for (let crash = 0; crash < 3; crash++) {
    await write("killed", range(next, 10));
    const seen = await tail.take(5);
    expect(seen.map((event) => rowOf(event).n)).toEqual(range(next, 5));
    if (crash > 0) await client.flush();
    await stack.restart();
    await write("killed", range(next + 10, 10));
    tail = await SseReader.open(client, "/api/v1/tail/killed", tail.lastEventId);
    const rest = await tail.take(15);
    expect(rest.map((event) => rowOf(event).n)).toEqual(range(next + 5, 15));
    next += 20;
  }
  tail.close();
});

test("tells no gap when what the log let go of was of others", async () => {
  await write("quiet", [0]);
  const first = await SseReader.open(client, "/api/v1/tail/quiet");
  await write("quiet", [1]);
  await first.take(1);
  first.close();
  await client.flush();
  await write("noise", range(0, 10));
  await client.flush();
  const again = await SseReader.open(client, "/api/v1/tail/quiet", first.lastEventId);
  await write("quiet", [2]);
  expect((await again.take(1)).map((event) => [event.event, rowOf(event).n])).toEqual([
    ["message", 2],
  ]);
  again.close();
});

test("starts with the last rows, shows asked columns, and rows that meet the conditions", async () => {
  await client.flush();
  await write("chosen", range(0, 8));
  const path = "/api/v1/tail/chosen?columns=n,time&rows=3";
  const last = await SseReader.open(client, path);
  expect((await last.take(3)).map(({ data }) => data)).toEqual([
    '{"n":5,"time":"2026-09-21T14:13:20.005Z"}',
    '{"n":6,"time":"2026-09-21T14:13:20.006Z"}',
    '{"n":7,"time":"2026-09-21T14:13:20.007Z"}',
  ]);
  last.close();
  const some = await SseReader.open(client, `${path.replace("rows=3", "rows=8")}&where=n:6`);
  expect((await some.take(1)).map((event) => rowOf(event).n)).toEqual([6]);
  some.close();
});

test("ends with a word when the measurement is renamed or dropped", async () => {
  await write("old", [0]);
  const renamed = await SseReader.open(client, "/api/v1/tail/old");
  const path = "/api/v1/databases/default/measurements";
  await client.fetch(`${path}/old`, {
    method: "PATCH",
    body: JSON.stringify({ name: "new" }),
    headers: { "content-type": "application/json" },
  });
  const farewell = (await renamed.next())!;
  expect(farewell.event).toBe("end");
  expect(JSON.parse(farewell.data)).toMatchObject({
    code: "measurement_renamed",
    measurement: "new",
  });
  expect(await renamed.next()).toBe(null);

  const dropped = await SseReader.open(client, "/api/v1/tail/new");
  await client.fetch(`${path}/new?confirm=true`, { method: "DELETE" });
  expect(JSON.parse((await dropped.next())!.data)).toMatchObject({ code: "measurement_dropped" });
  expect((await client.fetch("/api/v1/tail/new")).status).toBe(404);
});

test("refuses what it cannot show", async () => {
  await write("strict", [0]);
  const codeOf = async (path: string) => {
    const response = await client.fetch(path);
    return [response.status, ((await response.json()) as { code: string }).code];
  };
  expect(await codeOf("/api/v1/tail/nothing")).toEqual([404, "measurement_unknown"]);
  expect(await codeOf("/api/v1/tail/strict?database=none")).toEqual([404, "database_unknown"]);
  for (const query of [
    "where=x:1",
    "where=n:a",
    "columns=x",
    "rows=x",
    "last_event_id=x",
    "row=1",
  ]) {
    expect(await codeOf(`/api/v1/tail/strict?${query}`)).toEqual([400, "parameter_invalid"]);
  }
});

test("says that it is alive, and ends for a token that is revoked", async () => {
  await write("held", [0]);
  const made = await client.post("/api/v1/auth/tokens", { name: "tail", permissions: ["read"] });
  const { token, token_info } = (await made.json()) as {
    token: string;
    token_info: { id: number };
  };
  const tail = await SseReader.open(new HttpClient(() => stack.url, token), "/api/v1/tail/held");
  const ended = tail.next();
  await sleep(1_200);
  expect(tail.commentCount).toBeGreaterThan(0);
  await client.post(`/api/v1/auth/tokens/${token_info.id}/revoke`, {});
  expect(JSON.parse((await ended)!.data)).toMatchObject({ code: "token_unknown" });
});

const LET_GO_MS = LIMITS.releasedLogKeptMs + 2_000;
const LATE = { timeout: 60_000 };

test.concurrent("tells a gap to who comes back after the log let go", LATE, async () => {
  await write("late", [0]);
  const first = await SseReader.open(client, "/api/v1/tail/late");
  await write("late", [1]);
  await first.take(1);
  first.close();
  await write("late", [2]);
  await client.flush();
  await sleep(LET_GO_MS);
  await write("late", [3]);
  const again = await SseReader.open(client, "/api/v1/tail/late", first.lastEventId);
  const [gap, row] = await again.take(2);
  expect(gap).toMatchObject({ event: "gap" });
  const { from, to } = JSON.parse(gap!.data) as { from: string; to: string };
  expect(from <= to).toBe(true);
  expect(rowOf(row!).n).toBe(3);
  again.close();
});

test.concurrent("serves 50 followers, and forgets those that vanish", LATE, async () => {
  await write("crowd", [0]);
  const followers = await Promise.all(
    range(0, 50).map(() => SseReader.open(client, "/api/v1/tail/crowd")),
  );
  await write("crowd", range(1, 20));
  for (const follower of followers) {
    const numbers = (await follower.take(20)).map((event) => rowOf(event).n);
    expect(numbers).toEqual(range(1, 20));
  }
  expect(await followerCount()).toBeGreaterThan(0);
  for (const follower of followers) follower.close();
  const deadlineMs = Date.now() + 40_000;
  while ((await followerCount()) > 0 && Date.now() < deadlineMs) await sleep(500);
  expect(await followerCount()).toBe(0);
});

async function followerCount(): Promise<number> {
  const response = await client.fetch("/api/v1/databases/default");
  const { buffer } = (await response.json()) as { buffer: { followers: number } };
  return buffer.followers;
}
