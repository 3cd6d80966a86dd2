// Readers of metrics as text. They are strict: what Prometheus would refuse, they refuse.

export interface ReadFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: ReadSample[];
}

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total"],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
};

/**
 * OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), as far as we write it:
 * families once and in one piece, suffixes by type, no series twice, buckets that count up and end
 * with `+Inf`, and `# EOF` at the end.
 */
export function readOpenMetrics(text: string): Map<string, ReadFamily> {
  if (!text.endsWith("\n# EOF\n")) throw new Error("does not end with # EOF");
  const lines = text.slice(0, -"# EOF\n".length).split("\n").slice(0, -1);
  const families = new Map<string, ReadFamily>();
  const seen = new Set<string>();
  let help: [string, string] | null = null;
  let family: ReadFamily | null = null;
  for (const line of lines) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === "HELP") {
      help = [name, rest];
    } else if (keyword === "TYPE") {
      if (help?.[0] !== name || !NAME.test(name)) throw new Error(`${line}: its HELP is elsewhere`);
      if (SUFFIXES[rest] === undefined) throw new Error(`${line}: unknown type`);
      if (families.has(name)) throw new Error(`${line}: the family comes twice`);
      family = { name, type: rest, help: help[1], samples: [] };
      families.set(name, family);
    } else {
      if (family === null) throw new Error(`${line}: no family`);
      const sample = readSample(line);
      const suffix = sample.name.slice(family.name.length);
      const isOf = sample.name.startsWith(family.name) && SUFFIXES[family.type]!.includes(suffix);
      if (!isOf) throw new Error(`${line}: not of the ${family.type} ${family.name}`);
      const key = line.slice(0, line.lastIndexOf(" "));
      if (seen.has(key)) throw new Error(`${line}: the series comes twice`);
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const one of families.values()) if (one.type === "histogram") checkBuckets(one);
  return families;
}

function readSample(line: string): ReadSample {
  const [, name = "", , inner = "", number = ""] =
    /^([a-zA-Z_:][\w:]*)(\{(.*)\})? (\S+)$/s.exec(line) ?? [];
  if (!NUMBER.test(number)) throw new Error(`${line}: not a sample`);
  const labels: Record<string, string> = {};
  const pair = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
  while (pair.lastIndex < inner.length) {
    const [, label, value] = pair.exec(inner) ?? [];
    if (label === undefined || label in labels) throw new Error(`${line}: labels`);
    labels[label] = unescape(value!);
  }
  const value = Number(number.replace("Inf", "Infinity"));
  return { name, labels, value };
}

function unescape(text: string): string {
  return text.replace(/\\(["\\n])/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
}

function checkBuckets({ name, samples }: ReadFamily): void {
  let last: { bound: number; count: number } | null = null;
  for (const { name: sample, labels, value } of samples) {
    if (sample === `${name}_bucket`) {
      const bound = Number(labels["le"]!.replace("Inf", "Infinity"));
      const isRising = last === null || (bound > last.bound && value >= last.count);
      if (!isRising) throw new Error(`${name}: buckets do not rise at ${labels["le"]}`);
      last = { bound, count: value };
    } else if (sample === `${name}_count`) {
      const isWhole = last?.bound === Infinity && last.count === value;
      if (!isWhole) throw new Error(`${name}: its last bucket is not all`);
      last = null;
    }
  }
}
