// `npm run serve`: the whole stack on this machine, all its state in one folder.
//
//   npm run serve -- --port 8000 --data .data --admin-token T [--seal-after-ms N] [--seal-bytes N]
//     [--drain-notice-ms 2000] [--drain-ms 25000] [--inspect]
//
// Prints one line on standard output, `ready http://127.0.0.1:<port>`, when it answers. Any
// variable or secret of a Worker can also be given as SLUICE_<NAME> in the environment.

import { parseArgs } from "node:util";
import { StartRefused } from "../embedded/data-folder.ts";
import { log } from "../embedded/log.ts";
import { serve } from "../embedded/supervisor.ts";
import { DRAIN_MS_MAX } from "../embedded/workerd-process.ts";

const PREFIX = "SLUICE_";
const HOUR_MS = 3_600_000;
/** Elsewhere an empty value is as good as none. */
const EMPTY_IS_OFF: ReadonlySet<string> = new Set(["SLUICE_SELF_DATABASE"]);

/** Flags that are variables of the Workers under another spelling. */
const VALUE_FLAGS = {
  "admin-token": "ADMIN_TOKEN",
  "seal-after-ms": "SEAL_AFTER_MS",
  "seal-bytes": "SEAL_BYTES",
} as const;

try {
  const { values: flags } = parseArgs({
    options: {
      port: { type: "string", default: process.env["SLUICE_PORT"] ?? "8000" },
      data: { type: "string", default: process.env["SLUICE_DATA"] ?? ".data" },
      "admin-token": { type: "string" },
      "seal-after-ms": { type: "string" },
      "seal-bytes": { type: "string" },
      "drain-notice-ms": { type: "string", default: "2000" },
      "drain-ms": { type: "string", default: String(DRAIN_MS_MAX) },
      inspect: { type: "boolean", default: false },
    },
  });
  const values = new Map(
    Object.entries(process.env).flatMap(([name, value = ""]) =>
      name.startsWith(PREFIX) && (value !== "" || EMPTY_IS_OFF.has(name))
        ? [[name.slice(PREFIX.length), value] as const]
        : [],
    ),
  );
  values.delete("PORT");
  values.delete("DATA");
  values.delete("LOG_FORMAT");
  for (const [flag, name] of Object.entries(VALUE_FLAGS)) {
    const value = flags[flag as keyof typeof VALUE_FLAGS];
    if (value !== undefined) values.set(name, value);
  }
  const actualPort = await serve({
    port: wholeNumber("port", flags.port, 65_535),
    folder: flags.data,
    values,
    drainNoticeMs: wholeNumber("drain-notice-ms", flags["drain-notice-ms"], HOUR_MS),
    drainMsMax: wholeNumber("drain-ms", flags["drain-ms"], HOUR_MS),
    isInspected: flags.inspect,
  });
  console.log(`ready http://127.0.0.1:${actualPort}`);
} catch (error) {
  const isForUser = error instanceof StartRefused || error instanceof TypeError;
  log("error", isForUser ? error.message : String((error as Error).stack));
  process.exit(1);
}

function wholeNumber(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new StartRefused(`--${flag} must be a number from 0 to ${max}, not ${text}`);
}
