// The help texts, from what the commands say about themselves. docs/cli.md is made of them too.

import { SETTINGS, type Command, type Option } from "./command.ts";

const WIDTH = 80;

/** `path` is what stands before the command's name, e.g. `sluice`. */
export function helpText(path: string, command: Command): string {
  const name = `${path} ${command.name}`;
  const parts = [`${command.summary}\n`];
  const { subcommands } = command;
  if (subcommands === undefined) parts.push(`Usage: ${name} ${command.usage}`.trim() + "\n");
  else {
    parts.push(`Usage: ${name} COMMAND\n`);
    parts.push(section("Commands", list(subcommands.map((sub) => [sub.name, sub.summary]))));
  }
  if (command.about !== undefined) parts.push(`${wrap(command.about, WIDTH).join("\n")}\n`);
  if (subcommands === undefined) {
    const own = Object.entries(command.options);
    if (own.length > 0) parts.push(section("Options", list(own.map(optionRow))));
    parts.push(section("Settings", list(Object.entries(SETTINGS).map(optionRow))));
  }
  if (command.examples.length > 0) {
    const lines = command.examples.flatMap(([line, effect]) => [`  # ${effect}`, `  ${line}`]);
    parts.push(section("Examples", lines));
  }
  return parts.join("\n");
}

export function overviewText(commands: readonly Command[]): string {
  return [
    "Sluice: telemetry in over HTTP, SQL right after, Parquet on your own R2.\n",
    "Usage: sluice COMMAND [ARGUMENTS]\n",
    section("Commands", list(commands.map(({ name, summary }) => [name, summary]))),
    section("Settings of every command", list(Object.entries(SETTINGS).map(optionRow))),
    "sluice COMMAND --help tells more of each.",
    "Exit codes: 0 done, 1 refused or failed, 2 the command line is wrong.\n",
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.join("\n")}\n`;
}

function optionRow([name, option]: [string, Option]): [string, string] {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return [`${short}--${name}${option.value === undefined ? "" : ` ${option.value}`}`, option.help];
}

/** Two columns, the second one wrapped. */
function list(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([term]) => term.length)) + 4;
  return rows.flatMap(([term, text]) =>
    wrap(text, WIDTH - width).map((line, i) =>
      i === 0 ? `  ${term}`.padEnd(width) + line : " ".repeat(width) + line,
    ),
  );
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
