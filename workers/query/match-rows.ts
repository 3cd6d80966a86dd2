// A condition asked of one file: which of its rows meet it, as bits; or of none, to find out what
// is wrong with the condition and which files cannot have such rows.
//
// It is the query that lib/sql/match-statement.ts makes of it, over a database that holds nothing
// but that file.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import type { SnapshotFile, WantedRows } from "#lib/catalog/types.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import type { ArrowBatch } from "#lib/sql/arrow-stream.ts";
import type { DatabaseReader } from "#lib/sql/consistent-read.ts";
import type { ReadPorts } from "#lib/sql/read-ahead.ts";
import { NO_BYTES, type ResultWriter } from "#lib/sql/results/writer.ts";
import type { MatchQuestion } from "#lib/sql/types.ts";
import { type QueryPorts, type QueryProgress, runQuery } from "./run-query.ts";
import { Stages } from "./stages.ts";

export type MatchPorts = ReadPorts & Pick<QueryPorts, "acquireEngine" | "nowMs">;
export type Condition = Omit<MatchQuestion, "kind">;

/**
 * One bit per row in the order of the file, least significant first, 1 where the condition is true.
 * Throws what is wrong with the condition, as a query would.
 */
export async function matchRows(
  condition: Condition,
  file: SnapshotFile,
  ports: MatchPorts,
  progress: QueryProgress,
): Promise<Uint8Array> {
  const bits = new Uint8Array(Math.ceil(file.rowCount / 8));
  await ask(
    condition,
    databaseOf(condition.schema, file, () => {}),
    ports,
    setBits(bits),
    progress,
  );
  return bits;
}

/** What it demands of a row, as far as statistics can tell. Throws as `matchRows`. */
export async function examineCondition(
  condition: Condition,
  ports: MatchPorts,
  progress: QueryProgress,
): Promise<WantedRows> {
  let wanted: WantedRows | null = null;
  const database = databaseOf(condition.schema, null, (rows) => (wanted = rows));
  await ask(condition, database, ports, setBits(new Uint8Array(0)), progress);
  return wanted!;
}

async function ask(
  condition: Condition,
  database: DatabaseReader,
  { acquireEngine, fetchRange, rangeCache, nowMs }: MatchPorts,
  writer: ResultWriter,
  progress: QueryProgress,
): Promise<void> {
  const question = { kind: "match", ...condition } as const;
  const request = { question, database: DEFAULT_DATABASE, databases: [DEFAULT_DATABASE] };
  const ports = {
    acquireEngine,
    fetchRange,
    rangeCache,
    nowMs,
    listDatabases: async () => [DEFAULT_DATABASE],
    openDatabase: async () => database,
  };
  const controller = new AbortController();
  const timeout = setTimeout(() => controller.abort(timedOut()), LIMITS.queryTimeoutMs);
  try {
    const stages = new Stages(nowMs);
    const parts = runQuery(request, ports, writer, stages, progress, controller.signal);
    for await (const _ of parts);
  } finally {
    clearTimeout(timeout);
  }
}

function timedOut(): SluiceError {
  const seconds = LIMITS.queryTimeoutMs / 1_000;
  const message = `the condition took more than ${seconds} s for one file`;
  return new SluiceError("query_timeout", message, { limit_s: seconds });
}

/** `noteWanted` is told what the query would have read. */
function databaseOf(
  schema: TableSchema,
  file: SnapshotFile | null,
  noteWanted: (wanted: WantedRows) => void,
): DatabaseReader {
  const files = file === null ? [] : [file];
  const counts = { fileCount: files.length, timelyFileCount: files.length };
  return {
    tableIds: new Map([[schema.measurement, schema.tableId]]),
    readTails: async () => [],
    flush: async () => {},
    listTables: async () => [],
    async snapshot({ tables: [wanted] }) {
      noteWanted(wanted!);
      return {
        version: 0,
        hasTooManyFiles: false,
        tables: [{ schema, files, ...counts }],
        committedSegmentIds: [],
      };
    },
  };
}

/** An answer of one int64 column, each of its values the number of a bit. */
function setBits(bits: Uint8Array): ResultWriter {
  return {
    contentType: "",
    begin: () => NO_BYTES,
    end: () => NO_BYTES,
    rows({ rowCount, columns }: ArrowBatch) {
      const values = columns[0]!.buffers[0]!;
      for (let i = 0; i < rowCount; i++) {
        // No file has 2^32 rows.
        const row = values.getUint32(8 * i, true);
        bits[row >>> 3]! |= 1 << (row & 7);
      }
      return NO_BYTES;
    },
  };
}
