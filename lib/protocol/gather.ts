// Items or lines of one request to batches: one per measurement, or none.
//
// A request is taken whole or refused whole, naming the first item at fault. Where the client asked
// for less (`isPartial`), what is at fault is listed and the rest is kept; the list is bounded.
// What only the schema can tell comes later: then the body is gathered once more, without the items
// that the schema refused, for a batch cannot lose a row once it is columns.
//
// Next: workers/ingest/write-gathered.ts.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { ByteBudget } from "./cell-writer.ts";
import { BatchBuilder } from "./encode-batch.ts";
import { type BatchScan, scanBatch } from "./scan-batch.ts";
import { measurementNameFault } from "./walk-batch.ts";

/** What the client calls the things it sent: items count from 0, lines and rows from 1. */
export type PlaceNoun = "item" | "line" | "row";

/** By number of the item or line. */
export type Rejections = ReadonlyMap<number, SluiceError>;

export interface GatheredBatch {
  /** In columnar form, not compressed. */
  readonly bytes: Uint8Array;
  readonly scan: BatchScan;
  /** Per row the item or line it came from. */
  readonly places: readonly number[];
}

export interface Gathered {
  readonly batches: readonly GatheredBatch[];
  /** Items or lines that are in the batches. */
  readonly acceptedCount: number;
  readonly rejected: Rejections;
}

export interface GatherOptions {
  readonly noun: PlaceNoun;
  readonly isPartial: boolean;
  /** Found to be at fault before: left out, and listed again. */
  readonly rejected: Rejections;
}

export class Gatherer {
  readonly #noun: PlaceNoun;
  readonly #isPartial: boolean;
  readonly #rejected: Map<number, SluiceError>;
  readonly #budget = new ByteBudget(LIMITS.gatheredBytesMax);
  readonly #builders = new Map<string, BatchBuilder>();
  #acceptedCount = 0;

  constructor({ noun, isPartial, rejected }: GatherOptions) {
    this.#noun = noun;
    this.#isPartial = isPartial;
    this.#rejected = new Map(rejected);
  }

  /** The measurement's batch. Refuses its name, or one measurement too many. */
  batch(measurement: string): BatchBuilder {
    const known = this.#builders.get(measurement);
    if (known !== undefined) return known;
    const fault = measurementNameFault(measurement);
    if (fault !== null) throw new SluiceError("name_invalid", fault, { measurement });
    const limit = LIMITS.measurementsPerRequestMax;
    if (this.#builders.size === limit) {
      const message = `more than ${limit} measurements in one request`;
      throw new SluiceError("batch_too_large", message, { limit });
    }
    const builder = new BatchBuilder(measurement, this.#budget);
    this.#builders.set(measurement, builder);
    return builder;
  }

  /**
   * What `read` makes of the item or line; null when it is left out. `read` must leave the batches
   * as they are, since it may throw in the middle.
   */
  take<T>(place: number, read: () => T): T | null {
    try {
      const value = read();
      if (this.#rejected.has(place)) return null;
      this.#acceptedCount += 1;
      return value;
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      this.#reject(place, error);
      return null;
    }
  }

  finish(): Gathered {
    const filled = [...this.#builders.values()].filter(({ rowCount }) => rowCount > 0);
    const batches = filled.map((builder) => {
      const bytes = builder.finish();
      return { bytes, scan: scanBatch(bytes), places: builder.places };
    });
    return { batches, acceptedCount: this.#acceptedCount, rejected: this.#rejected };
  }

  #reject(place: number, error: SluiceError): void {
    const placed = atPlace(this.#noun, place, error);
    if (!this.#isPartial) throw placed;
    if (this.#rejected.has(place)) return;
    this.#rejected.set(place, placed);
    checkRejections(this.#noun, this.#rejected);
  }
}

/** The error, naming the item or line. */
export function atPlace(noun: PlaceNoun, place: number, error: SluiceError): SluiceError {
  const detail = { ...error.detail, [noun]: place };
  return new SluiceError(error.code, `${noun} ${place}: ${error.message}`, detail);
}

/** Refuses (`rejections_too_many`) a request that is wrong all over. */
export function checkRejections(noun: PlaceNoun, rejected: Rejections): void {
  const limit = LIMITS.rejectionsMax;
  if (rejected.size <= limit) return;
  const [first] = rejected.values();
  const message = `more than ${limit} ${noun}s are refused, the first: ${first!.message}`;
  throw new SluiceError("rejections_too_many", message, { limit });
}
