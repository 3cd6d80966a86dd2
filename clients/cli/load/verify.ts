// Afterwards: is what can be queried exactly what was acknowledged?
//
// Every pre-generated batch is asked for by its number: so many rows, and such sums, times how
// often it was acknowledged. Requests of which nobody knows how they ended may be stored, but only
// whole. Rows of a refused request must not be there.

import type { LoadBatch } from "./batches.ts";
import type { BatchTally } from "./tally.ts";

/** Runs SQL and returns rows of values. Rejects when the server refuses. */
export type RunSql = (sql: string) => Promise<readonly (readonly unknown[])[]>;

export interface Verification {
  readonly rowsAcknowledged: number;
  readonly rowsFound: number;
  /** One sentence for each batch that is not as it should be, the first of them. */
  readonly differences: readonly string[];
}

const DIFFERENCES_MAX = 20;

export async function verifyRows(
  runSql: RunSql,
  runId: string,
  batches: readonly LoadBatch[],
  tallies: readonly BatchTally[],
): Promise<Verification> {
  const numbered = batches.map((batch, index) => ({ batch, index, tally: tallies[index]! }));
  const differences: string[] = [];
  let rowsFound = 0;
  for (const measurement of new Set(batches.map((batch) => batch.measurement))) {
    const own = numbered.filter(({ batch }) => batch.measurement === measurement);
    const found = await readSums(runSql, runId, own[0]!.batch);
    for (const { batch, index, tally } of own) {
      const sums = found.get(index);
      found.delete(index);
      rowsFound += Number(sums?.[0] ?? 0);
      const difference = compare(batch, tally, sums);
      if (difference !== null) differences.push(`${measurement}, batch ${index}: ${difference}`);
    }
    for (const index of found.keys()) {
      differences.push(`${measurement}, batch ${index}: was never made`);
    }
  }
  const rowsAcknowledged = numbered.reduce(
    (sum, { batch, tally }) => sum + batch.rowCount * tally.acknowledged,
    0,
  );
  return { rowsAcknowledged, rowsFound, differences: differences.slice(0, DIFFERENCES_MAX) };
}

/** By batch: the number of rows, then the sums in the order of the batch's columns. */
async function readSums(
  runSql: RunSql,
  runId: string,
  { measurement, checksums }: LoadBatch,
): Promise<Map<number, bigint[]>> {
  const sums = Object.values(checksums!).map(({ sql }) => sql);
  const rows = await runSql(
    `SELECT load_batch, count(*), ${sums.join(", ")} FROM ${measurement} ` +
      `WHERE load_run = '${runId}' GROUP BY load_batch ORDER BY load_batch`,
  );
  return new Map(
    rows.map(([index, ...counts]) => [Number(index), counts.map((count) => BigInt(`${count}`))]),
  );
}

/** Null when all is as it should be. */
function compare(
  { rowCount, checksums }: LoadBatch,
  { acknowledged, unknown }: BatchTally,
  found: readonly bigint[] | undefined,
): string | null {
  const [rows = 0n, ...sums] = found ?? [];
  const copies = Number(rows) / rowCount;
  if (copies < acknowledged || copies > acknowledged + unknown || !Number.isInteger(copies)) {
    const perhaps = unknown === 0 ? "" : `, and of ${rowCount * unknown} it is not known`;
    return `${rows} rows are found, ${rowCount * acknowledged} were acknowledged${perhaps}`;
  }
  const wrong = Object.entries(checksums!).filter(
    ([, { sum }], i) => (sums[i] ?? 0n) !== sum * BigInt(copies),
  );
  if (wrong.length === 0) return null;
  return `the sums of ${wrong.map(([column]) => column).join(", ")} differ`;
}
