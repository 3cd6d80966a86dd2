// The command line: finds the command, runs it, and turns what it throws into one line and a code.
//
// Exit codes: 0 done, 1 refused or failed, 2 the command line is wrong, 130 ended by Ctrl-C.
// Answers go to standard output, everything else to standard error. Each command is a file of this
// folder and imports what it needs by itself; what they share is command.ts and terminal.ts.

import { Arguments, CommandFailed, UsageError, type Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { helpText, overviewText } from "./help.ts";
import { endQuietlyOnBrokenPipe, paint } from "./terminal.ts";

endQuietlyOnBrokenPipe();
process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  try {
    return await runCommand(words);
  } catch (error) {
    if (isAbort(error)) return 130;
    console.error(`${paint(process.stderr, "red", "sluice:")} ${messageOf(error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function runCommand(words: readonly string[]): Promise<number> {
  const [name] = words;
  if (name === undefined || ["--help", "-h", "help"].includes(name)) {
    const text = overviewText(COMMANDS);
    if (name === undefined) process.stderr.write(text);
    else process.stdout.write(text);
    return name === undefined ? 2 : 0;
  }
  return runFound("sluice", COMMANDS, words);
}

async function runFound(
  path: string,
  commands: readonly Command[],
  words: readonly string[],
): Promise<number> {
  const [name = "", ...rest] = words;
  const command = commands.find((known) => known.name === name);
  if (command === undefined) {
    const what = name === "" ? "a command is missing" : `there is no command "${name}"`;
    throw new UsageError(`${what}: ${path} --help lists them`);
  }
  const asksForHelp = rest[0] === "--help" || rest[0] === "-h" || rest[0] === "help";
  if (command.subcommands !== undefined && !asksForHelp) {
    return runFound(`${path} ${name}`, command.subcommands, rest);
  }
  const runnable = command.subcommands === undefined;
  const args = runnable ? new Arguments(command, rest, process.env) : null;
  if (args === null || args.isSet("help")) {
    process.stdout.write(helpText(path, command));
    return 0;
  }
  return command.run!(args);
}

/** One line; with its parts where the error is ours and nobody expected it. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, requestId } = error as { code?: unknown; requestId?: unknown };
  if (error.name === "SluiceRequestError") {
    const request = typeof requestId === "string" ? `, request ${requestId}` : "";
    return `${oneLine(error.message)} (${String(code)}${request})`;
  }
  const isExpected = error instanceof UsageError || error instanceof CommandFailed;
  // Of the file system: "ENOENT: no such file or directory, open 'x'" says it all.
  const isOfSystem = typeof code === "string" && /^E[A-Z]+$/.test(code);
  if (isExpected || isOfSystem || error.name.startsWith("Sluice")) return oneLine(error.message);
  return String(error.stack);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
