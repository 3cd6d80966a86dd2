// A reader of Prometheus's text format 0.0.4 that lets nothing pass:
// https://prometheus.io/docs/instrumenting/exposition_formats/
//
// Each family has HELP, TYPE and then all its samples; buckets go up and end with +Inf, which is
// the count; nothing is there twice.

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SUFFIXES: Record<string, readonly string[]> = {
  counter: [""],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
};

/** Throws an error that names the line. */
export function parsePrometheus(text: string): Family[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line does not end");
  const families: Family[] = [];
  const lines = text.split("\n").slice(0, -1);
  for (let at = 0; at < lines.length;) {
    const help = /^# HELP (\S+) ((?:[^\\]|\\\\|\\n)*)$/.exec(lines[at++]!);
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(lines[at++] ?? "");
    if (help === null || type === null || help[1] !== type[1] || !NAME.test(help[1]!)) {
      throw new Error(`line ${at}: no HELP and TYPE of one family`);
    }
    const family = { name: type[1]!, type: type[2]!, help: help[2]!, samples: [] as Sample[] };
    while (at < lines.length && !lines[at]!.startsWith("#")) {
      family.samples.push(parseSample(lines[at++]!, at));
    }
    checkFamily(family);
    families.push(family);
  }
  const names = families.flatMap(({ name, type }) => SUFFIXES[type]!.map((end) => name + end));
  if (new Set(names).size < names.length) throw new Error(`a name is there twice: ${names}`);
  return families;
}

function parseSample(line: string, at: number): Sample {
  const found = /^([^{\s]+)(?:\{(.*)\})? ([-+]?(?:Inf|[\d.]+(?:e[-+]?\d+)?))$/.exec(line);
  if (found === null || !NAME.test(found[1]!)) throw new Error(`line ${at}: ${line}`);
  const labels: Record<string, string> = {};
  let rest = found[2] ?? "";
  while (rest !== "") {
    const pair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/.exec(rest);
    if (pair === null || pair[1]! in labels) throw new Error(`line ${at}, labels: ${rest}`);
    labels[pair[1]!] = pair[2]!.replaceAll(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
    rest = rest.slice(pair[0].length);
  }
  return { name: found[1]!, labels, value: Number(found[3]!.replace("Inf", "Infinity")) };
}

function checkFamily({ name, type, samples }: Family): void {
  const allowed = SUFFIXES[type]!.map((suffix) => name + suffix);
  const odd = samples.find((sample) => !allowed.includes(sample.name));
  if (odd !== undefined) throw new Error(`${odd.name} is no sample of ${type} ${name}`);
  const keys = samples.map((sample) => sample.name + JSON.stringify(Object.entries(sample.labels)));
  if (new Set(keys).size < keys.length) throw new Error(`a sample of ${name} is there twice`);
  if (samples.length === 0) throw new Error(`${name} has no samples`);
  if (type !== "histogram") return;
  const series = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const group of series.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const edges = buckets.map(({ labels }) => Number(labels["le"]!.replace("+Inf", "Infinity")));
    const counts = buckets.map(({ value }) => value);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const goUp = [edges, counts].every((list) =>
      list.every((n, i) => i === 0 || n >= list[i - 1]!),
    );
    if (!goUp || edges.at(-1) !== Infinity || counts.at(-1) !== count) {
      throw new Error(`the buckets of ${name} do not go up to their count: ${counts} of ${count}`);
    }
  }
}
