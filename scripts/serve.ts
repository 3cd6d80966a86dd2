// `npm run serve`: the whole stack on this machine, all its state in one folder.
//
//   npm run serve -- --port 8000 --data .data --admin-token T [--seal-after-ms N] [--seal-bytes N]
//
// Prints one line on standard output, `ready http://127.0.0.1:<port>`, when it answers. Any
// variable or secret of a Worker can also be given as SLUICE_<NAME> in the environment.

import { parseArgs } from "node:util";
import { StartRefused } from "../embedded/data-folder.ts";
import { log } from "../embedded/log.ts";
import { serve } from "../embedded/supervisor.ts";

const PREFIX = "SLUICE_";

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
    },
  });
  const values = new Map(
    Object.entries(process.env).flatMap(([name, value]) =>
      name.startsWith(PREFIX) && value ? [[name.slice(PREFIX.length), value] as const] : [],
    ),
  );
  values.delete("PORT");
  values.delete("DATA");
  for (const [flag, name] of Object.entries(VALUE_FLAGS)) {
    const value = flags[flag as keyof typeof VALUE_FLAGS];
    if (value !== undefined) values.set(name, value);
  }
  const port = Number(flags.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new StartRefused(`--port must be a number from 0 to 65535, not ${flags.port}`);
  }
  const actualPort = await serve({ port, folder: flags.data, values });
  console.log(`ready http://127.0.0.1:${actualPort}`);
} catch (error) {
  const isForUser = error instanceof StartRefused || error instanceof TypeError;
  log("error", isForUser ? error.message : String((error as Error).stack));
  process.exit(1);
}
