// `sluice tail`: rows of a measurement as they are stored.

import { SluiceClient } from "../client/client.ts";
import { UsageError, type Arguments, type Command } from "./command.ts";
import { jsonOf, withoutControls } from "./query/table.ts";
import { onInterrupt, paint, print } from "./terminal.ts";

const ROWS_MAX = 1_000;

export const tailCommand: Command = {
  name: "tail",
  summary: "follow a measurement: rows as they are stored",
  usage: "MEASUREMENT [OPTIONS]",
  about:
    "Goes on by itself when the connection breaks, and ends at Ctrl-C. On a terminal a row is a " +
    "line of column=value, elsewhere a line of JSON.",
  options: {
    rows: {
      type: "string",
      short: "n",
      value: "N",
      help: "begin with so many of the last rows (0)",
    },
    columns: { type: "string", value: "A,B", help: "only these columns" },
    where: {
      type: "string",
      multiple: true,
      value: "COLUMN=VALUE",
      help: "only rows that have this value; more than once for more conditions",
    },
    json: { type: "boolean", help: "lines of JSON on a terminal, too" },
    count: { type: "string", value: "N", help: "end after so many rows" },
  },
  examples: [
    ["sluice tail application_logs --where level=ERROR", "errors, as they come"],
    ["sluice tail cpu -n 10 --columns time,host,load", "the last ten rows, and all that follow"],
  ],
  run: runTail,
};

async function runTail(args: Arguments): Promise<number> {
  args.atMost(1);
  const { url, token, database } = args.connection();
  const measurement = args.positional(0, "the measurement");
  const columns = args.text("columns")?.split(",");
  const rows = args.number("rows", 0, 0, ROWS_MAX);
  const countMax = args.number("count", Number.POSITIVE_INFINITY, 1, 1e15);
  const isPlain = process.stdout.isTTY && !args.isSet("json");
  const note = (error: Error) =>
    process.stderr.write(`${paint(process.stderr, "red", "sluice:")} ${error.message}\n`);
  const client = new SluiceClient({ url, token, database, onError: note });

  const abort = new AbortController();
  const release = onInterrupt(() => abort.abort());
  const found = client.tail<Record<string, unknown>>(measurement, {
    signal: abort.signal,
    where: Object.fromEntries(args.list("where").map(parseCondition)),
    ...(rows > 0 ? { rows } : {}),
    ...(columns === undefined ? {} : { columns }),
  });
  let count = 0;
  for await (const row of found) {
    await print(`${isPlain ? plainText(row) : jsonOf(row)}\n`);
    if (++count >= countMax) break;
  }
  release();
  return 0;
}

function parseCondition(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--where must be like COLUMN=VALUE, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The time first; what is NULL is left out. */
function plainText({ time, ...others }: Record<string, unknown>): string {
  const cells = Object.entries(others)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => {
      const shown = typeof value === "string" && !/[\s"=]/.test(value) ? value : jsonOf(value);
      return `${paint(process.stdout, "dim", `${withoutControls(name)}=`)}${withoutControls(shown)}`;
    });
  return [String(time ?? ""), ...cells].join(" ");
}
