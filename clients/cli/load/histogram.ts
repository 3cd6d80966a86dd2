// Latencies in bounded memory, however many there are: counts in buckets that grow with the value.
//
// As in HDR histograms (https://hdrhistogram.org): each power of two is divided into 128 buckets of
// equal width, so a percentile is at most 1/128 above the exact one and never below it. Everything
// from 1 µs to over an hour fits into 3,328 counters; what is longer counts as the longest.

const BUCKETS_PER_OCTAVE_LOG2 = 7;
const BUCKETS_PER_OCTAVE = 1 << BUCKETS_PER_OCTAVE_LOG2;
const VALUE_BITS_MAX = 32;
const BUCKET_COUNT = (VALUE_BITS_MAX - BUCKETS_PER_OCTAVE_LOG2 + 1) * BUCKETS_PER_OCTAVE;
const VALUE_US_MAX = 2 ** VALUE_BITS_MAX - 1;

export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKET_COUNT);
  #count = 0;
  #maxUs = 0;

  get count(): number {
    return this.#count;
  }

  recordMs(latencyMs: number): void {
    const us = Math.min(VALUE_US_MAX, Math.max(0, Math.round(latencyMs * 1_000)));
    this.#counts[bucketOf(us)]! += 1;
    this.#count += 1;
    this.#maxUs = Math.max(this.#maxUs, us);
  }

  /** By nearest rank, `fraction` from 0 to 1; null when nothing was recorded. */
  percentileMs(fraction: number): number | null {
    if (this.#count === 0) return null;
    let rest = Math.max(1, Math.ceil(fraction * this.#count));
    const bucket = this.#counts.findIndex((count) => (rest -= count) <= 0);
    return Math.min(this.#maxUs, highestOf(bucket)) / 1_000;
  }
}

function bucketOf(us: number): number {
  const octave = Math.max(0, 31 - Math.clz32(us) - BUCKETS_PER_OCTAVE_LOG2);
  return octave * BUCKETS_PER_OCTAVE + (us >>> octave);
}

/** The largest value that falls into a bucket. */
function highestOf(bucket: number): number {
  const octave = Math.max(0, Math.floor(bucket / BUCKETS_PER_OCTAVE) - 1);
  const position = bucket - octave * BUCKETS_PER_OCTAVE;
  return (position + 1) * 2 ** octave - 1;
}
