// `sluice query`: SQL from the command line, a file, standard input, or typed in.

import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { text } from "node:stream/consumers";

import { UsageError, type Arguments, type Command } from "../command.ts";
import { onInterrupt } from "../terminal.ts";
import { FORMATS, printAnswer, saveAnswer, showTable, type Format } from "./ask.ts";
import { converse, pathOfHistory } from "./converse.ts";
import { splitStatements } from "./statements.ts";

const FORMAT_OF_EXTENSION: Readonly<Record<string, Exclude<Format, "table">>> = {
  ".csv": "csv",
  ".json": "json",
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".parquet": "parquet",
  ".arrow": "arrow",
  ".arrows": "arrow",
};

export const queryCommand: Command = {
  name: "query",
  summary: "ask in SQL, once or interactively",
  usage: "[SQL] [OPTIONS]",
  about:
    "Without SQL it is read from --file or standard input; on a terminal, one types. Several " +
    "statements end with a semicolon each. Tables show the first 1,000 rows, everything else all.",
  options: {
    file: { type: "string", short: "f", value: "FILE", help: "read the SQL from a file" },
    format: {
      type: "string",
      value: "FORMAT",
      help: "table (default), csv, json, ndjson, parquet, arrow; json is the server's own answer",
    },
    out: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "write to a file, in the format of its ending",
    },
    param: {
      type: "string",
      multiple: true,
      value: "VALUE",
      help: "value of the next ? of the SQL; numbers, true, false and null are read as such",
    },
  },
  examples: [
    ["sluice query 'SELECT count(*) FROM system_events'", "one answer, as a table"],
    ["sluice query --database events", "a conversation, with history"],
    [
      'sluice query "SELECT * FROM cpu WHERE host = ?" --param web-1 --out cpu.parquet',
      "a Parquet file",
    ],
    ["sluice query --format ndjson < report.sql | jq .host", "for other programs"],
  ],
  run: runQuery,
};

async function runQuery(args: Arguments): Promise<number> {
  args.atMost(1);
  const connection = args.connection();
  const out = args.text("out");
  const format = readFormat(args, out);
  const params = args.list("param").map(parseParam);
  const given = args.positionals[0];
  const file = args.text("file");
  if (given !== undefined && file !== undefined) {
    throw new UsageError("SQL and --file: which of them?");
  }
  const isTyped = given === undefined && file === undefined && process.stdin.isTTY;
  if (isTyped && out !== undefined) throw new UsageError("--out needs SQL, or --file");
  if (isTyped) {
    await converse({
      connection,
      input: process.stdin,
      output: process.stdout,
      ask: (asked, sql, signal) => showTable(asked, { sql, params: [], signal }),
      historyPath: pathOfHistory(),
    });
    return 0;
  }

  const source =
    given ?? (file === undefined ? await text(process.stdin) : await readFile(file, "utf8"));
  const { statements, rest } = splitStatements(source);
  const all = rest === "" ? statements : [...statements, rest];
  if (all.length === 0) throw new UsageError("there is no SQL");
  if (out !== undefined && all.length > 1) throw new UsageError("--out takes one statement");

  const abort = new AbortController();
  const release = onInterrupt(() => abort.abort());
  for (const sql of all) {
    const question = { sql, params, signal: abort.signal };
    if (format === "table") await showTable(connection, question);
    else if (out === undefined) await printAnswer(connection, question, format);
    else await saveAnswer(connection, question, format, out);
  }
  release();
  return 0;
}

function readFormat(args: Arguments, out: string | undefined): Format {
  const named = args.oneOf("format", FORMATS);
  if (out !== undefined) {
    const format = named ?? FORMAT_OF_EXTENSION[extname(out).toLowerCase()];
    if (format !== undefined && format !== "table") return format;
    throw new UsageError(`in which format is ${out} to be? --format csv, ndjson, parquet …`);
  }
  const isBinary = named === "parquet" || named === "arrow";
  if (isBinary && process.stdout.isTTY) {
    throw new UsageError(`${named} is not for a terminal: give --out FILE, or a pipe`);
  }
  return named ?? "table";
}

/**
 * `7`, `true` and `null` as JSON has them, all else is text; so are numbers that would be rounded.
 */
function parseParam(value: string): unknown {
  if (["true", "false", "null"].includes(value)) return JSON.parse(value) as unknown;
  const number = Number(value);
  return String(number) === value && Number.isFinite(number) ? number : value;
}
