// How benchmarks print: the machine, then one line per figure, the median of its rounds first.

import { createRequire } from "node:module";
import { cpus, release, totalmem } from "node:os";

const LABEL_WIDTH = 52;

export function printMachine(): void {
  const processors = cpus();
  const memoryGb = Math.round(totalmem() / 1e9);
  console.log(`${processors.length} × ${processors[0]!.model}, ${memoryGb} GB, Linux ${release()}`);
  const workerd = createRequire(import.meta.url)("workerd/package.json") as { version: string };
  console.log(`workerd ${workerd.version}, Node ${process.versions.node}\n`);
}

export function printFigure(label: string, rounds: readonly number[], unit: string): void {
  const [lowest, highest] = [Math.min(...rounds), Math.max(...rounds)];
  const range = rounds.length > 1 ? `  (${formatNumber(lowest)} to ${formatNumber(highest)})` : "";
  console.log(
    `${label.padEnd(LABEL_WIDTH)}${formatNumber(median(rounds)).padStart(12)} ${unit}${range}`,
  );
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** By nearest rank. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)]!;
}

function formatNumber(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 1_000 ? 1 : 0 });
}
