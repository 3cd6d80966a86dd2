// Every command of `sluice`, as a process, against the real stack.

import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { COMMANDS } from "../../clients/cli/commands.ts";
import { HttpClient } from "../helpers/http-client.ts";
import { runCli, type CliOptions } from "../helpers/run-cli.ts";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const stack = new Stack();
const client = new HttpClient(() => stack.url);
let folder: string;

beforeAll(async () => {
  await stack.start();
  folder = join(stack.folder, "files");
  mkdirSync(folder);
});
afterAll(() => stack.remove());

function sluice(words: readonly string[], { env, ...options }: CliOptions = {}) {
  const settings = { SLUICE_URL: stack.url, SLUICE_TOKEN: ADMIN_TOKEN };
  return runCli(words, { ...options, env: { ...settings, ...env } });
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("sluice", () => {
  test("lists its commands, and explains each with examples", async () => {
    const { code, stdout } = await sluice(["--help"]);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, "m"));
    const { stdout: help, code: helpCode } = await sluice(["write", "--help"]);
    expect([helpCode, help]).toEqual([0, expect.stringContaining("Examples:")]);
  });

  test.each([
    [[], "Usage"],
    [["nope"], 'there is no command "nope"'],
    [["databases", "nope"], 'there is no command "nope"'],
    [["query", "--nope"], "Unknown option '--nope'"],
    [["query", "SELECT 1", "more"], 'what is "more" for?'],
    [["query", "SELECT 1", "--format", "xml"], "--format must be one of"],
    [["query", "SELECT 1", "--url", "server"], "--url must be like"],
    [["write", "no-extension", "-m", "m"], "ENOENT"],
    [["write", "-m", "m"], "in which format"],
    [["write", "--format", "csv"], "into which measurement?"],
    [["load", "--rps", "fast"], "--rps must be a number"],
    [["databases", "create"], "the name of the database is missing"],
    [["tokens", "create", "x", "--permission", "all"], "--permission is one of"],
    [["tail", "m", "--where", "x"], "--where must be like"],
  ])("refuses %j with one line and code 2", async (words, message) => {
    const { code, stdout, stderr } = await sluice(words);
    expect(stderr).toContain(message);
    expect(stdout).toBe("");
    expect(code).toBe(message === "ENOENT" ? 1 : 2);
    expect(stderr.trim().split("\n").length === 1 || message === "Usage").toBe(true);
    expect(stderr).not.toContain("\u001b");
  });

  test("asks for a token, and says when it is a wrong one or nobody listens", async () => {
    const none = await sluice(["query", "SELECT 1"], { env: { SLUICE_TOKEN: "" } });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("no token")]);
    const wrong = await sluice(["query", "SELECT 1", "--token", "wrong"]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("token_unknown")]);
    const deaf = await sluice(["query", "SELECT 1", "--url", "http://127.0.0.1:21699"]);
    expect([deaf.code, deaf.stderr]).toEqual([1, expect.stringContaining("was not answered")]);
  });
});

describe("sluice write", () => {
  const settings = ["--database", "written"];
  const rows = (sql: string) => client.query(sql, "written").then(({ data }) => data);

  test("stores each format, by the ending of the file or as it is told", async () => {
    const csv = file("cpu.csv", 'time,host,load\n2026-01-01T00:00:00Z,a,1\n1767225601,b,"2.5"\n');
    const json = file("j.json", '[{"time":1767225600000,"n":9007199254740993}]');
    const lines = '{"time":1767225600000,"o":{"x":[1]}}\n';
    const packed = file("packed.ndjson.gz", gzipSync(lines.repeat(3)));
    const lp = file("x.lp", 'lp,h=a v=1,s="x\ny" 1767225600\n# c\nlp,h=b v=2 1767225601\n');
    for (const words of [[csv], [json], [packed], [lp, "--time-unit", "s"]]) {
      const { code, stderr } = await sluice(["write", ...words, ...settings]);
      expect([code, stderr]).toEqual([0, expect.stringMatching(/^\d rows stored in written\n$/)]);
    }
    const words = ["write", "-", "-m", "packed", "--format", "ndjson", ...settings];
    expect((await sluice(words, { stdin: lines })).code).toBe(0);
    expect(await rows("SELECT host, load, time::VARCHAR FROM cpu ORDER BY host")).toEqual([
      ["a", 1, "2026-01-01 00:00:00"],
      ["b", 2.5, "2026-01-01 00:00:01"],
    ]);
    expect(await rows("SELECT n::VARCHAR FROM j")).toEqual([["9007199254740993"]]);
    expect(await rows("SELECT count(*), min(o) FROM packed")).toEqual([[4, '{"x":[1]}']]);
    expect(await rows("SELECT h, v, s FROM lp ORDER BY h")).toEqual([
      ["a", 1, "x\ny"],
      ["b", 2, null],
    ]);
  });

  test("stores nothing twice under one key, in a file of several batches", async () => {
    const lines = Array.from({ length: 25_000 }, (_, i) => `{"time":${i + 1},"v":${i}}\n`).join("");
    const path = file("twice.ndjson", lines);
    const words = ["write", path, "--key", "once", ...settings];
    expect((await sluice(words)).stderr).toBe("25,000 rows stored in written\n");
    expect((await sluice(words)).stderr).toBe(
      "25,000 rows stored in written, 25,000 of them before\n",
    );
    expect(await rows("SELECT count(*), count(DISTINCT v) FROM twice")).toEqual([[25_000, 25_000]]);
  });

  test("names line and reason of what it cannot read or the server refuses, and how to go on", async () => {
    const path = file("bad.ndjson", '{"v":1}\n{"v":\n');
    const broken = await sluice(["write", path, ...settings]);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/line 2 is not JSON: .*; nothing was sent/);
    const cut = file("cut.ndjson.gz", gzipSync('{"v":1}\n'.repeat(100)).subarray(0, 20));
    const half = await sluice(["write", cut, ...settings]);
    expect([half.code, half.stderr]).toEqual([1, expect.stringMatching(/unexpected end of file/)]);
    await sluice(["write", "-m", "typed", "--format", "ndjson", ...settings], {
      stdin: '{"v":true}',
    });
    const refused = await sluice(["write", "-m", "typed", "--format", "ndjson", ...settings], {
      stdin: '{"v":"text"}',
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/line 1 to line 1: .*column_type_conflict.*--key write-/);
  });
});

describe("sluice query", () => {
  beforeAll(async () => {
    const stdin = "time,host,v\n1,a,1\n2,b,2.5\n3,é,\n";
    await sluice(["write", "-m", "asked", "--format", "csv"], { stdin });
  });

  test("shows a table, and takes SQL from argument, file and standard input", async () => {
    const table = "host    v\n----  ---\na       1\nb     2.5\né\n";
    const sql = "SELECT host, v FROM asked ORDER BY time";
    const path = file("q.sql", `-- all\n${sql};\n`);
    const answers = [
      await sluice(["query", sql]),
      await sluice(["query", "--file", path]),
      await sluice(["query"], { stdin: sql }),
    ];
    for (const { code, stdout, stderr } of answers) {
      expect([code, stdout, stderr]).toEqual([
        0,
        table,
        expect.stringMatching(/^\(3 rows, \d+ ms/),
      ]);
    }
    const two = await sluice(["query", "SELECT 1 AS a; SELECT 2 AS b"]);
    expect(two.stdout).toBe("a\n-\n1\nb\n-\n2\n");
  });

  test("gives CSV, NDJSON and JSON, with values for question marks", async () => {
    const sql = "SELECT host, v FROM asked WHERE v >= ? AND host <> ? ORDER BY time";
    const ask = (format: string) =>
      sluice(["query", sql, "--param", "1", "--param", "a", "--format", format]);
    expect((await ask("csv")).stdout).toBe("host,v\nb,2.5\n");
    expect((await ask("ndjson")).stdout).toBe('{"host":"b","v":2.5}\n');
    expect(JSON.parse((await ask("json")).stdout)).toMatchObject({ data: [["b", 2.5]] });
  });

  test("saves Parquet and Arrow, and leaves no file behind when it fails", async () => {
    const parquet = join(folder, "out.parquet");
    expect((await sluice(["query", "SELECT * FROM asked", "--out", parquet])).code).toBe(0);
    expect(readFileSync(parquet).subarray(0, 4).toString()).toBe("PAR1");
    const arrow = await sluice([
      "query",
      "SELECT 1",
      "-o",
      join(folder, "x.bin"),
      "--format",
      "arrow",
    ]);
    expect(arrow.code).toBe(0);
    const failed = join(folder, "failed.csv");
    const refused = await sluice(["query", "SELECT nope FROM asked", "--out", failed]);
    expect([refused.code, existsSync(failed), existsSync(`${failed}.part`)]).toEqual([
      1,
      false,
      false,
    ]);
    const late =
      "SELECT CASE WHEN i = 900000 THEN error('late') ELSE i END AS i FROM range(1000000) t(i)";
    const broken = await sluice(["query", late, "--format", "ndjson"]);
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining("late")]);
  });

  test("says in one line what is wrong with the SQL", async () => {
    const { code, stdout, stderr } = await sluice(["query", "SELECT nope FROM asked"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^sluice: .*nope.*\(sql_invalid, request .*\)\n$/);
  });
});

describe("sluice databases and tokens", () => {
  test("makes, lists and drops a database, and only with --yes", async () => {
    expect((await sluice(["databases", "create", "fresh"])).code).toBe(0);
    expect((await sluice(["databases", "list"])).stdout).toMatch(/^fresh +20/m);
    const unsure = await sluice(["databases", "drop", "fresh"]);
    expect([unsure.code, unsure.stderr]).toEqual([2, expect.stringContaining("--yes")]);
    expect((await sluice(["databases", "list"])).stdout).toMatch(/^fresh /m);
    expect((await sluice(["databases", "drop", "fresh", "--yes"])).code).toBe(0);
    expect((await sluice(["databases", "list"])).stdout).not.toMatch(/^fresh /m);
  });

  test("makes a token that works for what it may, rotates, revokes and deletes it", async () => {
    const words = ["tokens", "create", "writer", "--permission", "write", "--databases", "w*"];
    const secret = (await sluice(words)).stdout.trim();
    const list = JSON.parse((await sluice(["tokens", "list", "--json"])).stdout) as {
      tokens: { id: number; name: string }[];
    };
    const id = String(list.tokens.find(({ name }) => name === "writer")!.id);
    const write = (token: string, database: string) =>
      sluice(["write", "-m", "m", "--format", "ndjson", "--token", token, "--database", database], {
        stdin: '{"v":1}',
      });
    expect((await write(secret, "w1")).code).toBe(0);
    expect((await write(secret, "other")).code).toBe(1);
    const rotated = (await sluice(["tokens", "rotate", id])).stdout.trim();
    expect(rotated).not.toBe(secret);
    expect((await write(rotated, "w1")).code).toBe(0);
    expect((await sluice(["tokens", "revoke", id])).code).toBe(0);
    expect((await write(rotated, "w1")).stderr).toContain("token_");
    expect((await sluice(["tokens", "delete", id])).code).toBe(0);
    expect((await sluice(["tokens", "delete", id])).code).toBe(1);
  });
});

describe("sluice events and tail", () => {
  test("posts events, finds them by tag, type and time, and follows them from a place", async () => {
    const post = (value: string, tag: string) =>
      sluice(["events", "post", value, "--tag", tag, "--tag", "all", "--type", "timing"]);
    const first = JSON.parse((await post('{"ms": 1}', "page:home")).stdout) as { seq: number };
    expect(first).toMatchObject({ tags: ["page:home", "all"], type: "timing", value: { ms: 1 } });
    expect((await post("words", "page:cart")).code).toBe(0);
    const found = await sluice(["events", "find", "--tag", "all", "--from", "now-1h", "--oldest"]);
    const values = found.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { value: unknown }).value);
    expect(values).toEqual([{ ms: 1 }, "words"]);
    const none = await sluice(["events", "find", "--tag", "all", "--type", "other"]);
    expect([none.code, none.stdout]).toEqual([0, ""]);
    const words = ["events", "stream", "--tag", "page:cart", "--after", String(first.seq)];
    const followed = await sluice([...words, "--count", "1"]);
    expect(followed.stdout).toContain('"value":"words"');
  });

  test("follows a measurement from its last rows on, with conditions, and ends at Ctrl-C", async () => {
    const stdin = '{"host":"a","v":1}\n{"host":"b","v":2}\n';
    await sluice(["write", "-m", "followed", "--format", "ndjson"], { stdin });
    const words = ["tail", "followed", "-n", "10", "--where", "host=b", "--columns", "host,v"];
    const { code, stdout } = await sluice(words, { signalAtOutput: "SIGINT" });
    expect(stdout).toContain('"host":"b","v":2');
    expect(stdout).not.toContain('"host":"a"');
    expect(code).toBe(0);
  });
});
