// Shows that work goes on. Rewrites one line on a terminal; elsewhere prints only how it ended.

export interface Step {
  update(text: string): void;
  /** Ends the step: this line stays. */
  done(text: string): void;
}

const CLEAR_LINE = "\r\u001b[K";

export function startStep(label: string, out: NodeJS.WriteStream = process.stdout): Step {
  const show = (text: string) => {
    // A line that wraps could not be rewritten.
    if (out.isTTY) out.write(CLEAR_LINE + `  ${label} … ${text}`.slice(0, out.columns - 1));
  };
  show("");
  return {
    update: show,
    done: (text) => void out.write(`${out.isTTY ? CLEAR_LINE : ""}✓ ${label}: ${text}\n`),
  };
}

/** `[#####-----]`, `fraction` from 0 to 1. */
export function progressBar(fraction: number, cells = 24): string {
  const full = Math.round(fraction * cells);
  return `[${"#".repeat(full)}${"-".repeat(cells - full)}]`;
}
