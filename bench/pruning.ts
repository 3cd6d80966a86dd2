// How much of a month a query about one hour reads: as 30 files of a day, and as 720 of an hour.
//
// Bytes are those of the answer's `cost`: asked of the object store or found in the cache, footers
// included, beside the bytes of all files of the table.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Caller, flush, runQuery } from "../scripts/demo/api.ts";
import { gzippedBodies } from "./events.ts";
import { sendBodies } from "./load.ts";
import { DATABASE, DAYS, loadMonth, START_MS } from "./month.ts";
import { printMachine } from "./report.ts";
import { startBenchServer } from "./server.ts";

const HOUR_MS = 3_600_000;
const HOURS = DAYS * 24;
/** 10,000 rows at 350 ms in the mean fill an hour. */
const STEP_MS_MAX = 1_400;
/** The last hour of a day that has rows up to its end in both forms. */
const ASKED = { first: 0, middle: (HOURS / 2) | 0, last: HOURS - 2 };
const COLUMNS = { "two columns": "time, duration_ms", "all columns": "*" };

interface Cost {
  readonly files_considered: number;
  readonly files_read: number;
  readonly row_groups_considered: number;
  readonly row_groups_pruned: number;
  readonly bytes_read: number;
  readonly bytes_from_cache: number;
}

/** A folder that is named keeps its data for the next time. */
const [kept] = process.argv.slice(2);
const folder = kept ?? mkdtempSync(join(tmpdir(), "sluice-bench-"));
const [days, hours] = ["days", "hours"].map((name) => join(folder, name)) as [string, string];
for (const target of [days, hours]) mkdirSync(target, { recursive: true });
try {
  printMachine();
  await report("30 files of a day", days, await loadMonth(days));
  await report("720 files of an hour", hours, await loadHours(hours));
} finally {
  if (kept === undefined) rmSync(folder, { recursive: true });
}

/** As loadMonth, with a flush after every hour. */
async function loadHours(target: string): Promise<string[]> {
  const marker = join(target, "hours-are-loaded");
  if (!existsSync(marker)) {
    const server = await startBenchServer(target);
    try {
      for (let hour = 0; hour < HOURS; hour++) {
        const startMs = START_MS + hour * HOUR_MS;
        const [body] = await gzippedBodies(1, { seed: hour, startMs, stepMsMax: STEP_MS_MAX });
        await sendBodies(server.admin, [{ database: DATABASE, body: body! }], 1);
        await flush(server.admin);
      }
    } finally {
      await server.stop();
    }
    writeFileSync(marker, "");
  }
  const lake = join(target, "data", "r2");
  return readdirSync(lake, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".parquet"))
    .map((name) => join(lake, name));
}

async function report(title: string, target: string, files: readonly string[]): Promise<void> {
  const totalBytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
  console.log(`\n${title}: ${files.length} files, ${megabytes(totalBytes)} MB`);
  const server = await startBenchServer(target);
  try {
    for (const [which, hour] of Object.entries(ASKED)) {
      for (const [what, columns] of Object.entries(COLUMNS)) {
        const { cost, rowCount } = await askHour(server.admin, hour, columns);
        const bytes = cost.bytes_read + cost.bytes_from_cache;
        const share = ((100 * bytes) / totalBytes).toFixed(2);
        const read = cost.row_groups_considered - cost.row_groups_pruned;
        console.log(
          `  ${`${which} hour, ${what}`.padEnd(28)}${share.padStart(6)} % of the bytes ` +
            `(${megabytes(bytes)} MB; ${cost.files_read} files, ${read} row groups, ${rowCount} rows)`,
        );
      }
    }
  } finally {
    await server.stop();
  }
}

async function askHour(
  caller: Caller,
  hour: number,
  columns: string,
): Promise<{ cost: Cost; rowCount: number }> {
  const from = new Date(START_MS + hour * HOUR_MS).toISOString();
  const to = new Date(START_MS + (hour + 1) * HOUR_MS).toISOString();
  const sql = `SELECT ${columns} FROM system_events WHERE time >= '${from}' AND time < '${to}'`;
  const answer = await runQuery(caller, DATABASE, sql);
  const { cost } = answer as unknown as { cost: Cost };
  return { cost, rowCount: answer.data.length };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}
