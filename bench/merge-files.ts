// Merging files as compaction does: a day of minute files, and five large files that overlap.
//
// The inputs are written by another process and read from disk, so that what is measured holds
// nothing but the merge. Memory is what the process has above its rest at its peak, garbage that is
// not collected yet included. Give `minutes` or `large` to run one of the two.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FetchRange, PartWriter } from "#lib/base/ports.ts";
import { describeFile } from "#lib/catalog/data-file.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { DataFile } from "#lib/catalog/types.ts";
import { ParquetWriter } from "#lib/parquet/write-file.ts";
import { mergeFiles } from "#lib/rewrite/merge-files.ts";
import { mergeMemoryBytes } from "#lib/rewrite/merge-memory.ts";
import { EVENT_COLUMNS, eventTable } from "./event-table.ts";
import { cpuSeconds, peakResidentBytes, residentBytes, resetPeak } from "./process-stats.ts";
import { printFigure, printMachine } from "./report.ts";

const ROWS_PER_TABLE = 100_000;
const START_MS = Date.UTC(2026, 0, 1);

/** Files of `rows` rows each; `shared`: all of the same time, else one after the other. */
const CASES = {
  minutes: { files: 1_440, rows: 1_157, shared: false, stepMsMax: 209 },
  large: { files: 5, rows: 2_000_000, shared: true, stepMsMax: 172 },
} as const;

const SCHEMA: TableSchema = {
  tableId: 1,
  measurement: "system_events",
  schemaVersion: 1,
  columns: EVENT_COLUMNS.map((column) => ({ ...column, takesNumbers: false })),
};

const [mode, folderToFill] = process.argv.slice(2);
if (folderToFill !== undefined) {
  writeInputs(mode as keyof typeof CASES, folderToFill);
} else {
  printMachine();
  for (const name of mode === undefined ? Object.keys(CASES) : [mode]) await measure(name);
}

async function measure(name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-merge-"));
  try {
    spawnSync(process.execPath, [import.meta.filename, name, folder], { stdio: "inherit" });
    const files = JSON.parse(readFileSync(join(folder, "files.json"), "utf8")) as DataFile[];
    const inputs = files.map((file) => ({ file, filter: null }));
    const ports = { fetchRange: fetchFrom(folder), lake: { createInParts: writeTo(folder) } };
    const keyOf = (_day: string, fileNumber: number) => `out-${fileNumber}`;
    const [restBytes, restSeconds] = [residentBytes(process.pid), cpuSeconds(process.pid)];
    resetPeak(process.pid);
    const start = performance.now();
    const merged = await mergeFiles({ inputs, schema: SCHEMA, jobId: "bench", keyOf }, ports);
    const seconds = (performance.now() - start) / 1000;
    const usedSeconds = cpuSeconds(process.pid) - restSeconds;
    const rowCount = sum(merged.map((file) => file.rowCount));
    const peakBytes = peakResidentBytes(process.pid) - restBytes;
    console.log(`${name}: ${files.length} files of ${megabytes(files)} MB`);
    console.log(`became ${merged.length} of ${megabytes(merged)} MB, ${rowCount} rows`);
    printFigure("merge", [rowCount / seconds], "rows/s");
    printFigure("merge, per CPU second", [rowCount / usedSeconds], "rows/s");
    printFigure("peak memory", [peakBytes / 1e6], "MB");
    printFigure("rows held, as planned", [mergeMemoryBytes(files, EVENT_COLUMNS) / 1e6], "MB");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function fetchFrom(folder: string): FetchRange {
  return async (key, offset, byteLength) => {
    await using file = await open(join(folder, key));
    const bytes = new Uint8Array(byteLength);
    await file.read(bytes, 0, byteLength, offset);
    return bytes;
  };
}

function writeTo(folder: string): (key: string) => PartWriter {
  return (key) => {
    let byteLength = 0;
    return {
      async write(bytes) {
        writeFileSync(join(folder, key), bytes, { flag: "a" });
        byteLength += bytes.length;
      },
      finish: async () => ({ byteLength }),
      abort: async () => {},
    };
  };
}

/** Runs in a process of its own. */
function writeInputs(name: keyof typeof CASES, folder: string): void {
  const { files, rows, shared, stepMsMax } = CASES[name];
  const described: DataFile[] = [];
  const batches = ROWS_PER_TABLE / 10_000;
  let startMs = START_MS;
  let table = eventTable(batches, { seed: 1, startMs, stepMsMax });
  let row = 0;
  for (let number = 0; number < files; number++) {
    if (shared) startMs = START_MS;
    const parts: Uint8Array[] = [];
    const writer = new ParquetWriter(EVENT_COLUMNS, { keyValues: {} }, (part) => parts.push(part));
    for (let left = rows; left > 0;) {
      const count = Math.min(left, ROWS_PER_TABLE - row);
      writer.writeRowGroup(table, row, row + count);
      left -= count;
      row += count;
      if (row < ROWS_PER_TABLE) continue;
      startMs += (ROWS_PER_TABLE * stepMsMax) / 4;
      if (left === 0 && shared) startMs = START_MS;
      table = eventTable(batches, { seed: startMs + number, startMs, stepMsMax });
      row = 0;
    }
    const key = `in-${number}`;
    const summary = writer.finish();
    const bytes = Buffer.concat(parts);
    writeFileSync(join(folder, key), bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    described.push(describeFile({ key, tableId: 1, day: "2026-01-01", sha256 }, summary));
  }
  writeFileSync(join(folder, "files.json"), JSON.stringify(described));
}

function megabytes(files: readonly DataFile[]): number {
  return Math.round(sum(files.map(({ byteLength }) => byteLength)) / 1e6);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
