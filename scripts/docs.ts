// Writes the documents that are generated from code: docs/errors.md, docs/limits.md, docs/cli.md
// and docs/metrics.md. test/docs.test.ts fails when they are stale; `npm run docs` writes them
// anew.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../clients/cli/commands.ts";
import type { Command } from "../clients/cli/command.ts";
import { helpText, overviewText } from "../clients/cli/help.ts";
import { ERRORS } from "../lib/base/errors.ts";
import { LIMITS } from "../lib/base/limits.ts";
import { metricsDocument } from "./metrics-document.ts";

const ROOT = new URL("../", import.meta.url);

export const GENERATED: Readonly<Record<string, () => string>> = {
  "docs/errors.md": errorsDocument,
  "docs/limits.md": limitsDocument,
  "docs/cli.md": cliDocument,
  "docs/metrics.md": metricsDocument,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, write] of Object.entries(GENERATED))
    writeFileSync(new URL(path, ROOT), write());
}

function errorsDocument(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { kind, status }]) => `| \`${code}\` | ${kind} | ${status} |`,
  );
  return [
    "# Errors",
    "",
    "Generated from [lib/base/errors.ts](../lib/base/errors.ts), which says what each kind asks of",
    "the caller.",
    "",
    "| code | kind | status |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

function limitsDocument(): string {
  const reasons = commentsOf(readFileSync(new URL("lib/base/limits.ts", ROOT), "utf8"));
  const rows = Object.entries(LIMITS).map(
    ([name, value]) => `| \`${name}\` | ${grouped(value)} | ${reasons.get(name) ?? ""} |`,
  );
  return [
    "# Limits",
    "",
    "Generated from [lib/base/limits.ts](../lib/base/limits.ts). The unit is in the name.",
    "",
    "| limit | value | |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** How it is used is written by hand; the help texts behind it are the program's own. */
function cliDocument(): string {
  const section = (path: string, level: string, command: Command): string[] => [
    `${level} ${path} ${command.name}`,
    "",
    "```",
    helpText(path, command).trimEnd(),
    "```",
    "",
    ...(command.subcommands ?? []).flatMap((sub) =>
      section(`${path} ${command.name}`, `${level}#`, sub),
    ),
  ];
  return [
    readFileSync(new URL("clients/cli/introduction.md", ROOT), "utf8"),
    "## sluice",
    "",
    "```",
    overviewText(COMMANDS).trimEnd(),
    "```",
    "",
    ...COMMANDS.flatMap((command) => section("sluice", "##", command)),
  ].join("\n");
}

/** The comment right above each entry, by the entry's name. */
function commentsOf(source: string): Map<string, string> {
  const entry = /\/\*\*([^/]*?)\*\/\s*(\w+):/g;
  const text = (comment: string) => comment.replace(/\s*\n\s*\*\s*/g, " ").trim();
  return new Map([...source.matchAll(entry)].map(([, comment, name]) => [name!, text(comment!)]));
}

function grouped(value: number | bigint): string {
  return value.toLocaleString("en-US");
}
