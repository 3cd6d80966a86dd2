// One batch of 10,000 rows: the scan that ingest does, the decoding that a flush or query does.
//
// Node loads the modules one by one; bundled, as in a Worker, both are some 10 % faster.

import { scanBatch } from "#lib/protocol/scan-batch.ts";
import { TableBuilder } from "#lib/protocol/table-builder.ts";

import { encodeColumns } from "../clients/client/encode-columns.ts";
import { EVENT_COLUMNS } from "./event-table.ts";
import { generateBatches } from "./events.ts";
import { median, printFigure, printMachine } from "./report.ts";

const ROUNDS = 7;
const BATCHES = 40;

const batches = [...generateBatches(BATCHES)].map((columns) => encodeColumns("events", columns));
const nonAscii = [...generateBatches(BATCHES)].map((columns) => {
  const source = (columns["source"] as string[]).map((name) => `${name} größer 温度`);
  return encodeColumns("events", { ...columns, source });
});

printMachine();
printFigure("scan", measure(batches, scanBatch), "ms/batch");
printFigure("scan, one of twelve columns not ASCII", measure(nonAscii, scanBatch), "ms/batch");
printFigure("decode, 40 batches into one table", measureDecode(EVENT_COLUMNS), "ms/batch");
printFigure("decode, two columns of twelve", measureDecode(EVENT_COLUMNS.slice(0, 2)), "ms/batch");

function measureDecode(columns: ConstructorParameters<typeof TableBuilder>[0]): number[] {
  let builder = new TableBuilder(columns);
  return measure(
    batches,
    (bytes) => builder.append(bytes, 0),
    () => (builder = new TableBuilder(columns)),
  );
}

/** The median time of a batch in each round, after rounds that let the compiler warm up. */
function measure(
  inputs: readonly Uint8Array[],
  run: (bytes: Uint8Array) => unknown,
  prepare: () => unknown = () => {},
): number[] {
  const rounds = Array.from({ length: 3 + ROUNDS }, () => {
    prepare();
    return median(
      inputs.map((bytes) => {
        const start = performance.now();
        run(bytes);
        return performance.now() - start;
      }),
    );
  });
  return rounds.slice(3);
}
