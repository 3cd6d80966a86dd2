// Load that keeps its own books: every request is counted by what it was answered, in the words of
// the server's metrics, so that both can be held against each other.

import { encodeBatch, HttpClient } from "./http-client.ts";
import { seededRandom } from "./seeded-random.ts";

/** A series as its text: `name{label="value",…}`, labels in the order of the alphabet. */
export type Totals = Record<string, number>;

export function seriesName(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(labels).toSorted();
  return `${name}{${pairs.map((label) => `${label}="${labels[label]}"`).join(",")}}`;
}

const DATABASES = ["alpha", "beta"];
const MEASUREMENTS = ["m0", "m1", "m2", "m3"];
const WRITE = "/api/v1/write/msgpack";
const LINES = "/api/v1/write/line-protocol";
const QUERY = "/api/v1/query";
const T0 = Date.parse("2026-03-01T10:00:00Z");

interface Written {
  readonly database: string;
  readonly measurement: string;
  readonly key: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly rowCount: number;
}

export class CountedLoad {
  readonly totals: Totals = {};
  /** Rows that were acknowledged as new, and when. */
  readonly acknowledged: { readonly atMs: number; readonly rowCount: number }[] = [];
  /** Rows of requests that got no answer: stored or not, counted or not. */
  unansweredRows = 0;
  readonly #client: HttpClient;
  readonly #random: () => number;
  readonly #written: Written[] = [];
  #writeCount = 0;

  constructor(url: () => string, seed: number) {
    this.#client = new HttpClient(url);
    this.#random = seededRandom(seed);
  }

  /** So that there is something to be repeated, asked and in conflict with. */
  async begin(): Promise<void> {
    for (const database of DATABASES) {
      for (const measurement of MEASUREMENTS) await this.#write(database, measurement, 10);
    }
  }

  /** `width` at a time, as long as `goesOn` says so. */
  async run(width: number, goesOn: () => boolean): Promise<void> {
    const worker = async () => {
      while (goesOn()) await this.#anything();
    };
    await Promise.all(Array.from({ length: width }, worker));
  }

  async #anything(): Promise<void> {
    const database = this.#pick(DATABASES);
    const measurement = this.#pick(MEASUREMENTS);
    const dice = this.#random();
    if (dice < 0.5) return this.#write(database, measurement, 1 + Math.floor(this.#random() * 50));
    if (dice < 0.6) return this.#repeat(this.#pick(this.#written));
    if (dice < 0.7) return this.#conflict(database, measurement);
    if (dice < 0.75) return this.#garbage(database);
    if (dice < 0.8) return this.#stranger(database);
    if (dice < 0.95) return this.#lines(database);
    return this.#query(database, measurement);
  }

  async #write(database: string, measurement: string, rowCount: number): Promise<void> {
    const no = this.#writeCount++;
    const time = Array.from({ length: rowCount }, (_, i) => T0 + no * 1_000 + i);
    const body = encodeBatch(measurement, { time, value: time.map(() => no) });
    const written = { database, measurement, key: `load-${no}`, body, rowCount };
    const response = await this.#answered(this.#client.write(body, { database, key: written.key }));
    if (response === null) return void (this.unansweredRows += rowCount);
    this.#countRequest(WRITE, response);
    this.#countStored("msgpack", [written]);
    this.#written.push(written);
  }

  async #repeat({ database, measurement, key, body, rowCount }: Written): Promise<void> {
    const response = await this.#answered(this.#client.write(body, { database, key }));
    if (response === null) return;
    if (response.headers.get("x-sluice-duplicate") !== "true") throw new Error("stored twice");
    this.#countRequest(WRITE, response);
    this.#count("sluice_ingest_batches_offered_total", { protocol: "msgpack" });
    this.#count("sluice_ingest_batches_duplicate_total", { protocol: "msgpack" });
    this.#count("sluice_ingest_rows_offered_total", { database, measurement }, rowCount);
    this.#count("sluice_ingest_rows_duplicate_total", { database, measurement }, rowCount);
  }

  async #conflict(database: string, measurement: string): Promise<void> {
    const body = encodeBatch(measurement, { time: [T0, T0], value: ["no", "number"] });
    const response = await this.#answered(this.#client.write(body, { database }));
    if (response === null) return;
    const code = await this.#countRefused(WRITE, "msgpack", response);
    this.#count("sluice_ingest_rows_offered_total", { database, measurement }, 2);
    this.#count("sluice_ingest_rows_rejected_total", { database, measurement, code }, 2);
  }

  async #garbage(database: string): Promise<void> {
    const body = new Uint8Array([0xc1, 1, 2, 3]);
    const response = await this.#answered(this.#client.write(body, { database }));
    if (response !== null) await this.#countRefused(WRITE, "msgpack", response);
  }

  async #stranger(database: string): Promise<void> {
    const body = encodeBatch("m0", { time: [T0] });
    const request = this.#client.write(body, { database, token: "nobody" });
    const response = await this.#answered(request);
    if (response !== null) await this.#countRefused(WRITE, "msgpack", response);
  }

  async #lines(database: string): Promise<void> {
    const no = this.#writeCount++;
    const body = MEASUREMENTS.map((name, i) => `${name} value=${no}i ${T0 + no * 1_000 + i}`);
    const headers = { "x-arc-database": database };
    const init = { method: "POST", body: body.join("\n"), headers };
    const response = await this.#answered(this.#client.fetch(`${LINES}?precision=ms`, init));
    if (response === null) return void (this.unansweredRows += MEASUREMENTS.length);
    this.#countRequest(LINES, response);
    const parts = MEASUREMENTS.map((measurement) => ({ database, measurement, rowCount: 1 }));
    this.#countStored("line-protocol", parts);
  }

  async #query(database: string, measurement: string): Promise<void> {
    const isWrong = this.#random() < 0.3;
    const sql = isWrong ? "SELECT nothing" : `SELECT count(*) FROM ${measurement}`;
    const request = this.#client.post(QUERY, { sql }, { "x-arc-database": database });
    const response = await this.#answered(request);
    if (response === null) return;
    await response.arrayBuffer();
    this.#countRequest(QUERY, response);
  }

  #countStored(
    protocol: string,
    parts: readonly Pick<Written, "database" | "measurement" | "rowCount">[],
  ): void {
    this.#count("sluice_ingest_batches_offered_total", { protocol });
    this.#count("sluice_ingest_batches_accepted_total", { protocol });
    for (const { database, measurement, rowCount } of parts) {
      const of = { database, measurement };
      this.#count("sluice_ingest_rows_offered_total", of, rowCount);
      this.#count("sluice_ingest_rows_accepted_total", of, rowCount);
      this.#count("sluice_buffer_rows_stored_total", of, rowCount);
      this.acknowledged.push({ atMs: Date.now(), rowCount });
    }
  }

  /** Returns the code of the error. */
  async #countRefused(route: string, protocol: string, response: Response): Promise<string> {
    const { code } = (await response.json()) as { code: string };
    this.#countRequest(route, response);
    this.#count("sluice_ingest_batches_offered_total", { protocol });
    this.#count("sluice_ingest_batches_rejected_total", { protocol, code });
    return code;
  }

  #countRequest(route: string, { status }: Response): void {
    const labels = { route, method: "POST", status: String(status) };
    this.#count("sluice_http_requests_total", labels);
  }

  #count(name: string, labels: Readonly<Record<string, string>>, by = 1): void {
    const series = seriesName(name, labels);
    this.totals[series] = (this.totals[series] ?? 0) + by;
  }

  /** null: there was no answer. */
  async #answered(request: Promise<Response>): Promise<Response | null> {
    return await request.catch(() => null);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!;
  }
}
