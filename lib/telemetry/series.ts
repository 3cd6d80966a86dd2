// The numbers of many series: metric and label values to a number or a histogram. Meters hold what
// is not yet reported, the hub the totals.
//
// Bounded: a metric keeps at most `seriesMax` series; what comes after that is counted with its
// open labels as `_other`, so totals stay right and only the detail is lost.

import { assert } from "#lib/base/assert.ts";
import { type Metric, OPEN_LABELS, OVERFLOW } from "./metric.ts";

/** One count per bucket, the one up to infinity included, and the sum of all values. */
export interface Distribution {
  readonly counts: number[];
  sum: number;
}

/** As it is sent and kept: label values, then the number, or the counts and the sum. */
export interface SeriesValue {
  readonly labels: readonly string[];
  readonly value: number | Distribution;
}

/** Label values as one key. The separator cannot be in a label: `labelText` takes it out. */
const SEPARATOR = "\u0000";
const LABEL_LENGTH_MAX = 128;

interface Family {
  readonly metric: Metric;
  readonly numbers: Map<string, number>;
  readonly distributions: Map<string, Distribution>;
}

export class SeriesTable {
  readonly #families = new Map<string, Family>();
  readonly #seriesMax: number;

  /** Of each metric. */
  constructor(seriesMax: number) {
    this.#seriesMax = seriesMax;
  }

  get isEmpty(): boolean {
    return this.#families.size === 0;
  }

  add(metric: Metric, labels: readonly string[], by: number): void {
    const { numbers } = this.#family(metric);
    const key = this.#key(metric, labels, numbers);
    numbers.set(key, (numbers.get(key) ?? 0) + by);
  }

  set(metric: Metric, labels: readonly string[], value: number): void {
    const { numbers } = this.#family(metric);
    numbers.set(this.#key(metric, labels, numbers), value);
  }

  observe(metric: Metric, labels: readonly string[], value: number): void {
    const distribution = this.#distribution(metric, labels);
    const { buckets } = metric;
    let at = 0;
    while (at < buckets.length && value > buckets[at]!) at++;
    distribution.counts[at]!++;
    distribution.sum += value;
  }

  /** What another table counted since it last told. */
  merge(metric: Metric, { labels, value }: SeriesValue): void {
    if (typeof value === "number") return this.add(metric, labels, value);
    const into = this.#distribution(metric, labels);
    // Of a release with other buckets: as where labels changed, the metric begins anew.
    if (value.counts.length !== into.counts.length) return;
    for (const [at, count] of value.counts.entries()) into.counts[at]! += count;
    into.sum += value.sum;
  }

  seriesOf(metric: Metric): SeriesValue[] {
    const family = this.#families.get(metric.name);
    if (family === undefined) return [];
    const { numbers, distributions } = family;
    return [...numbers, ...distributions].map(([key, value]) => ({
      labels: labelsOf(key, metric),
      value,
    }));
  }

  /** Everything, as plain data for a message or a row: metric's name to its series. */
  snapshot(): Record<string, SeriesValue[]> {
    const families = [...this.#families.values()];
    return Object.fromEntries(families.map(({ metric }) => [metric.name, this.seriesOf(metric)]));
  }

  #family(metric: Metric): Family {
    let family = this.#families.get(metric.name);
    if (family === undefined) {
      family = { metric, numbers: new Map(), distributions: new Map() };
      this.#families.set(metric.name, family);
    }
    return family;
  }

  #distribution(metric: Metric, labels: readonly string[]): Distribution {
    const { distributions } = this.#family(metric);
    const key = this.#key(metric, labels, distributions);
    let distribution = distributions.get(key);
    if (distribution === undefined) {
      distribution = { counts: Array.from({ length: metric.buckets.length + 1 }, () => 0), sum: 0 };
      distributions.set(key, distribution);
    }
    return distribution;
  }

  #key(metric: Metric, labels: readonly string[], known: ReadonlyMap<string, unknown>): string {
    assert(labels.length === metric.labels.length, `${metric.name} has other labels`);
    let key = labels.length === 0 ? "" : labelText(labels[0]!);
    for (let at = 1; at < labels.length; at++) key += SEPARATOR + labelText(labels[at]!);
    if (known.has(key) || known.size < this.#seriesMax) return key;
    const isOpen = (at: number) => OPEN_LABELS.has(metric.labels[at]!);
    return labels.map((text, at) => (isOpen(at) ? OVERFLOW : labelText(text))).join(SEPARATOR);
  }
}

function labelText(text: string): string {
  const plain = text.includes(SEPARATOR) ? text.replaceAll(SEPARATOR, "") : text;
  return plain.length <= LABEL_LENGTH_MAX ? plain : plain.slice(0, LABEL_LENGTH_MAX);
}

function labelsOf(key: string, metric: Metric): string[] {
  return metric.labels.length === 0 ? [] : key.split(SEPARATOR);
}
