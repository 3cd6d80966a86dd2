// The terminal: colours, width, progress, and how a program ends when nobody reads it any more.

import { once } from "node:events";

import { formatTable } from "./query/table.ts";

const WIDTH_DEFAULT = 100;
const PROGRESS_PLAIN_EVERY_MS = 5_000;
const PROGRESS_REDRAW_EVERY_MS = 100;
const CLEAR_LINE = "\r\u001b[K";

const COLOURS = { red: 31, green: 32, dim: 2, bold: 1 } as const;

/** Colours are for terminals; https://no-color.org is respected. */
export function paint(
  stream: NodeJS.WriteStream,
  colour: keyof typeof COLOURS,
  text: string,
): string {
  const isWanted = stream.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
  return isWanted ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
}

/** Infinity where there is no terminal: a file has no width. One that does not know it says 0. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns || WIDTH_DEFAULT : Number.POSITIVE_INFINITY;
}

/** Resolves when there is room for more, so that a long answer is not kept in memory. */
export async function print(text: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

/** Objects of the same keys as a table; lists in them by commas. */
export async function printTable(objects: readonly object[]): Promise<void> {
  const columns = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  const data = objects.map((object) =>
    columns.map((name) => {
      const value = (object as Record<string, unknown>)[name];
      return Array.isArray(value) ? value.join(", ") : value;
    }),
  );
  const lines = formatTable({ columns, data }, widthOf(process.stdout), data.length);
  await print(`${lines.join("\n")}\n`);
}

/** `sluice query … | head` ends without a word when head has enough. */
export function endQuietlyOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
}

/** Calls `stop` at Ctrl-C or SIGTERM; at the second one the program ends at once. */
export function onInterrupt(stop: () => void): () => void {
  let firstMs: number | null = null;
  const listener = () => {
    const nowMs = performance.now();
    // A terminal signals the whole group, and a parent may pass the same Ctrl-C on once more.
    if (firstMs !== null && nowMs - firstMs > 500) process.exit(130);
    if (firstMs !== null) return;
    firstMs = nowMs;
    stop();
  };
  process.on("SIGINT", listener).on("SIGTERM", listener);
  return () => void process.off("SIGINT", listener).off("SIGTERM", listener);
}

export interface Progress {
  /** At most ten times a second on a terminal, else a line every five seconds. */
  update(text: string): void;
  /** Removes what is shown. */
  end(): void;
}

export function startProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  let shownMs = performance.now();
  let isShown = false;
  return {
    update: (text) => {
      const nowMs = performance.now();
      const everyMs = out.isTTY ? PROGRESS_REDRAW_EVERY_MS : PROGRESS_PLAIN_EVERY_MS;
      if (nowMs - shownMs < everyMs) return;
      shownMs = nowMs;
      isShown = true;
      // A line that wraps could not be rewritten.
      out.write(out.isTTY ? CLEAR_LINE + text.slice(0, widthOf(out) - 1) : `${text}\n`);
    },
    end: () => {
      if (isShown && out.isTTY) out.write(CLEAR_LINE);
    },
  };
}
