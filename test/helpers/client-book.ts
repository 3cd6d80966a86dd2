// What a client of one database knows by itself: which batches were acknowledged, which deletes
// were answered. It holds every answer of a query against that, whatever is rewritten meanwhile.
//
// A batch's rows have its id and one moment, so that retention takes all of them or none.

import { type ErrorCode, errorKind } from "#lib/base/errors.ts";
import { encodeBatch, type HttpClient } from "./http-client.ts";

const DAY_MS = 86_400_000;

interface Batch {
  readonly id: number;
  readonly timeMs: number;
  readonly rowCount: number;
}

interface Removal {
  readonly ids: readonly number[];
  isDone: boolean;
}

export class ClientBook {
  readonly database: string;
  readonly #client: HttpClient;
  readonly #retentionDays: number;
  /** By id; what was only tried may be there or not. */
  readonly #tried = new Map<number, Batch>();
  readonly #acked = new Map<number, Batch>();
  readonly #removals: Removal[] = [];
  /** When a batch was missed that was there once. */
  readonly #goneMs = new Map<number, number>();
  reads = 0;
  /** Codes of reads that were to be sent again. */
  readonly refusals: string[] = [];

  constructor(client: HttpClient, database: string, retentionDays: number) {
    this.#client = client;
    this.database = database;
    this.#retentionDays = retentionDays;
  }

  get acked(): number {
    return this.#acked.size;
  }

  get removed(): number {
    return this.#removals.filter(({ isDone }) => isDone).length;
  }

  /** Rejects when the server does not answer; then the batch may be stored. */
  async write(timeMs: number, rowCount: number): Promise<void> {
    const id = this.#tried.size;
    const batch = { id, timeMs, rowCount };
    this.#tried.set(id, batch);
    const row = Array.from({ length: rowCount }, (_, i) => i);
    const columns = { time: row.map(() => timeMs), batch: row.map(() => id), row };
    const body = encodeBatch("events", columns);
    const response = await this.#client.write(body, { database: this.database });
    if (response.status !== 204) throw new Error(`write: ${response.status}`);
    this.#acked.set(id, batch);
  }

  /** A delete of some batches that are young and not deleted yet. Rejects as `write`. */
  async remove(random: () => number, count: number): Promise<void> {
    const asked = new Set(this.#removals.flatMap(({ ids }) => ids));
    const youngMs = Date.now() - (this.#retentionDays - 1) * DAY_MS;
    const left = [...this.#acked.values()]
      .filter(({ id, timeMs }) => timeMs > youngMs && !asked.has(id))
      .map(({ id }) => id);
    if (left.length < count) return;
    const ids = Array.from({ length: count }, () => {
      return left.splice(Math.floor(random() * left.length), 1)[0]!;
    });
    const removal: Removal = { ids, isDone: false };
    this.#removals.push(removal);
    const where = `batch IN (${ids.join(", ")})`;
    const asking = { database: this.database, measurement: "events", where, confirm: true };
    const response = await this.#client.post("/api/v1/delete", asking);
    const { status } = (await response.json()) as { status?: string };
    removal.isDone = status === "completed";
  }

  /** Counts by batch. Returns what is wrong with them; nothing, as a rule. */
  async read(): Promise<string[]> {
    const startMs = performance.now();
    const acked = [...this.#acked.values()];
    const done = this.#removals.filter(({ isDone }) => isDone);
    const sql = "SELECT batch, count(*) FROM events GROUP BY batch";
    const rows = await this.#ask(sql);
    if (rows === null) return [];
    const counts = new Map(rows as [number, number][]);
    const faults = [...this.#wrongCounts(counts), ...this.#halfRemoved(acked, counts)];
    const gone = new Set(done.flatMap(({ ids }) => ids));
    faults.push(...[...gone].filter((id) => counts.has(id)).map((id) => `${id} is not removed`));
    const asked = new Set(this.#removals.flatMap(({ ids }) => ids));
    const oldMs = Date.now() - this.#retentionDays * DAY_MS;
    for (const { id, timeMs } of acked) {
      const goneMs = this.#goneMs.get(id) ?? Infinity;
      if (counts.has(id) && goneMs < startMs) faults.push(`${id} is back`);
      if (counts.has(id)) continue;
      if (!asked.has(id) && timeMs >= oldMs) faults.push(`${id} is lost`);
      this.#goneMs.set(id, Math.min(goneMs, performance.now()));
    }
    return faults;
  }

  /** Counts all rows. Returns what is wrong with their number. */
  async count(): Promise<string[]> {
    const acked = [...this.#acked.values()];
    const rows = await this.#ask("SELECT count(*) FROM events");
    if (rows === null) return [];
    const count = rows[0]![0] as number;
    const asked = new Set(this.#removals.flatMap(({ ids }) => ids));
    const oldMs = Date.now() - this.#retentionDays * DAY_MS;
    const sure = acked.filter(({ id, timeMs }) => !asked.has(id) && timeMs >= oldMs);
    const [min, max] = [rowsOf(sure), rowsOf([...this.#tried.values()])];
    return count >= min && count <= max ? [] : [`${count} rows, and not from ${min} to ${max}`];
  }

  /** null: refused for now. Rejects for any other reason. */
  async #ask(sql: string): Promise<unknown[][] | null> {
    const { success, data, error, code = "" } = await this.#client.query(sql, this.database);
    if (success) {
      this.reads++;
      return data;
    }
    if (errorKind(code as ErrorCode) !== "unavailable") throw new Error(`${code}: ${error}`);
    this.refusals.push(code);
    return null;
  }

  #wrongCounts(counts: ReadonlyMap<number, number>): string[] {
    return [...counts]
      .filter(([id, count]) => this.#tried.get(id)?.rowCount !== count)
      .map(([id, count]) => `${id} has ${count} rows`);
  }

  /** A delete that has not answered has happened, or it has not. */
  #halfRemoved(acked: readonly Batch[], counts: ReadonlyMap<number, number>): string[] {
    const known = new Set(acked.map(({ id }) => id));
    return this.#removals
      .filter(({ ids }) => ids.every((id) => known.has(id)))
      .filter(({ ids }) => ids.some((id) => counts.has(id)) && !ids.every((id) => counts.has(id)))
      .map(({ ids }) => `removed in part: ${ids.join(", ")}`);
  }
}

function rowsOf(batches: readonly Batch[]): number {
  return batches.reduce((sum, { rowCount }) => sum + rowCount, 0);
}
