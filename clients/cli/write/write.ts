// `sluice write`: rows from a file or standard input.

import { randomUUID } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { basename, extname } from "node:path";
import { Readable, type Duplex } from "node:stream";
import { createGunzip } from "node:zlib";

import type { TimeUnit } from "../../client/encode-columns.ts";
import { CommandFailed, UsageError, type Arguments, type Command } from "../command.ts";
import { onInterrupt, startProgress } from "../terminal.ts";
import { chunkLines, chunkRows, type Chunk } from "./chunks.ts";
import { readCsv, readJson, readNdjson, type Bytes } from "./rows.ts";
import { sendChunks, type Sent } from "./send.ts";

const FORMATS = ["json", "ndjson", "csv", "lp"] as const;
const TIME_UNITS = ["s", "ms", "us", "ns"] as const;

type FileFormat = (typeof FORMATS)[number];

const FORMAT_OF_EXTENSION: Readonly<Record<string, FileFormat>> = {
  ".json": "json",
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".csv": "csv",
  ".lp": "lp",
};

export const writeCommand: Command = {
  name: "write",
  summary: "store rows of a JSON, NDJSON, CSV or line protocol file",
  usage: "[FILE] [OPTIONS]",
  about:
    "Without FILE, or with -, rows come from standard input. A file that ends in .gz is unpacked. " +
    "Rows are sent 10,000 at a time, each time whole or not at all, again where the server is " +
    "busy, and never stored twice by one run. With --key another run of the same file goes on " +
    "where one was broken off: what was stored within the last 24 hours is not stored again.",
  options: {
    measurement: {
      type: "string",
      short: "m",
      value: "NAME",
      help: "where the rows go (the name of the file); lines of line protocol name it themselves",
    },
    format: {
      type: "string",
      value: "FORMAT",
      help: "json, ndjson, csv or lp (the ending of the file)",
    },
    "time-column": { type: "string", value: "NAME", help: "the column of the event's time (time)" },
    "time-unit": {
      type: "string",
      value: "UNIT",
      help: "of times that are numbers: s, ms, us, ns (found by magnitude; of lp it is ns)",
    },
    key: { type: "string", value: "KEY", help: "what the keys of this run begin with" },
  },
  examples: [
    ["sluice write cpu.csv", "into the measurement cpu"],
    ["sluice write events.ndjson.gz -m system_events --database events", "a gzipped file"],
    ["app | sluice write --format ndjson -m app_events", "what a program prints"],
    ["sluice write metrics.lp --time-unit s --key import-2026-11-22", "line protocol, resumable"],
  ],
  run: runWrite,
};

async function runWrite(args: Arguments): Promise<number> {
  args.atMost(1);
  const connection = args.connection();
  const given = args.positionals[0] ?? "-";
  const path = given === "-" ? null : given;
  const bytesTotal = path === null ? null : statSync(path).size;
  const input = openInput(path);
  const chunks = readChunks(args, path, input.bytes);
  const key = args.text("key") ?? `write-${randomUUID()}`;
  if (!/^[!-~]{1,100}$/.test(key)) {
    throw new UsageError("--key must have 1 to 100 visible ASCII characters");
  }

  const sent: Sent = { requests: 0, rows: 0, rowsBefore: 0 };
  const abort = new AbortController();
  const release = onInterrupt(() => abort.abort());
  const progress = startProgress();
  const timer = setInterval(() => {
    const read = input.bytesRead();
    const share = bytesTotal ? `, ${Math.floor((read / bytesTotal) * 100)} %` : "";
    progress.update(`${grouped(sent.rows)} rows stored, ${megabytes(read)} read${share}`);
  }, 200);
  try {
    await sendChunks(connection, key, chunks, sent, abort.signal);
  } catch (error) {
    progress.end();
    const message = abort.signal.aborted ? "interrupted" : reasonOf(error as Error);
    if (sent.requests === 0) throw new CommandFailed(`${message}; nothing was sent`);
    const resume = `go on with the same file and --key ${key}`;
    throw new CommandFailed(`${message}; ${grouped(sent.rows)} rows are stored: ${resume}`);
  } finally {
    clearInterval(timer);
    progress.end();
    release();
  }
  const before = sent.rowsBefore > 0 ? `, ${grouped(sent.rowsBefore)} of them before` : "";
  process.stderr.write(`${grouped(sent.rows)} rows stored in ${connection.database}${before}\n`);
  return 0;
}

/** What zlib says comes wrapped into an error without words. */
function reasonOf({ message, cause }: Error): string {
  return message === "" && cause instanceof Error ? cause.message : message;
}

function openInput(path: string | null): { bytes: Bytes; bytesRead: () => number } {
  const source = path === null ? process.stdin : createReadStream(path);
  let bytesRead = 0;
  source.on("data", (chunk: Buffer) => (bytesRead += chunk.length));
  source.pause();
  const unpacked = path?.endsWith(".gz") === true ? unpack(source) : source;
  return { bytes: Readable.toWeb(unpacked) as Bytes, bytesRead: () => bytesRead };
}

function unpack(source: Readable): Duplex {
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  return source.pipe(gunzip);
}

function readChunks(args: Arguments, path: string | null, bytes: Bytes): AsyncGenerator<Chunk> {
  const name = path === null ? "" : basename(path).replace(/\.gz$/, "");
  const extension = extname(name).toLowerCase();
  const format = args.oneOf("format", FORMATS) ?? FORMAT_OF_EXTENSION[extension];
  if (format === undefined) {
    const what = path === null ? "what comes from standard input" : path;
    throw new UsageError(`in which format is ${what}? --format ${FORMATS.join(", ")}`);
  }
  const timeUnit = args.oneOf<TimeUnit>("time-unit", TIME_UNITS);
  if (format === "lp") return chunkLines(bytes, timeUnit);

  const measurement = args.text("measurement") ?? basename(name, extname(name));
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,127}$/.test(measurement)) {
    throw new UsageError(
      path === null
        ? "into which measurement? --measurement NAME"
        : `"${measurement}" cannot be the name of a measurement: give --measurement`,
    );
  }
  const read = { json: readJson, ndjson: readNdjson, csv: readCsv }[format];
  return chunkRows(read(bytes), {
    measurement,
    timeColumn: args.text("time-column") ?? "time",
    timeUnit,
    isCsv: format === "csv",
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
