// Points that are not written yet, of all series together, in three typed arrays.
//
// One buffer for all, not one per series: recording is three stores into memory that is always
// there, whatever the number of series; and its size is the memory that recording takes.

const POINTS_MAX = 65_536;

/** Points in the order in which they were recorded; `series` are numbers of a SeriesTable. */
export interface PointBatch {
  readonly series: Uint32Array;
  readonly timesUs: Float64Array;
  readonly values: Float64Array;
}

export class PointBuffer {
  readonly #series = new Uint32Array(POINTS_MAX);
  readonly #timesUs = new Float64Array(POINTS_MAX);
  readonly #values = new Float64Array(POINTS_MAX);
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count === POINTS_MAX;
  }

  /** Only while it is not full. */
  append(series: number, timeUs: number, value: number): void {
    this.#series[this.#count] = series;
    this.#timesUs[this.#count] = timeUs;
    this.#values[this.#count] = value;
    this.#count++;
  }

  /** A view of what is here: good until the next append after `clear`. */
  batch(): PointBatch {
    return {
      series: this.#series.subarray(0, this.#count),
      timesUs: this.#timesUs.subarray(0, this.#count),
      values: this.#values.subarray(0, this.#count),
    };
  }

  clear(): void {
    this.#count = 0;
  }
}
