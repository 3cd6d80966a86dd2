// The conversation over streams: what is asked when, and what a mistake does.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";

import { converse } from "../../../clients/cli/query/converse.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-converse-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("asks when a semicolon comes, however many lines it takes, and ends at \\q", async () => {
  const { asked } = await talk("SELECT 1;\nSELECT\n'a;'\n; SELECT 2;\n\\q\nSELECT 3;\n");
  expect(asked).toEqual(["default: SELECT 1", "default: SELECT\n'a;'", "default: SELECT 2"]);
});

test("lists measurements, describes one with any name, and changes the database", async () => {
  const { asked } = await talk('\\d\n\\d a"b\n\\c other\nSELECT 1;\n');
  expect(asked).toEqual(["default: SHOW TABLES", 'default: DESCRIBE "a""b"', "other: SELECT 1"]);
});

test("tells a refusal, explains itself, and goes on", async () => {
  const { asked, shown } = await talk("SELECT bad;\n\\x\nSELECT 1;\n");
  expect(shown).toContain("there is no column bad");
  expect(shown).toContain("There is no \\x.");
  expect(asked).toHaveLength(2);
});

test("keeps what was typed for the next time, for the user alone to read", async () => {
  await talk("SELECT 1;\nSELECT 2;\n");
  expect(readFileSync(join(folder, "state/history"), "utf8")).toBe("SELECT 2;\nSELECT 1;\n");
  const { shown } = await talk("\u001b[A\n");
  expect(shown).toContain("SELECT 2;");
});

test("Ctrl-C ends the query that runs, and forgets the lines of one that does not", async () => {
  const { asked, shown } = await talk(
    "SELECT slow;\n",
    "\u0003",
    "SELECT half\n",
    "\u0003",
    "SELECT 1;\n",
  );
  expect(shown).toContain("cancelled");
  expect(asked).toEqual(["default: SELECT slow", "default: SELECT 1"]);
});

async function talk(...inputs: string[]): Promise<{ asked: string[]; shown: string }> {
  const input = new PassThrough();
  const output = new PassThrough();
  const asked: string[] = [];
  const connection = { url: "http://server", token: "t", database: "default", fetch };
  const ended = converse({
    connection,
    input,
    output,
    historyPath: join(folder, "state/history"),
    ask: async ({ database }, sql, signal) => {
      asked.push(`${database}: ${sql}`);
      if (sql.includes("bad")) throw new Error("there is no column bad");
      if (!sql.includes("slow")) return;
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    },
  });
  for (const text of inputs) {
    input.write(text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  input.end();
  await ended;
  return { asked, shown: String(output.read()) };
}
