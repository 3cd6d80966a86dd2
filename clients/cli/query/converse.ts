// SQL typed in: statements may have many lines and end with a semicolon.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface, type Interface } from "node:readline";

import type { Connection } from "../../client/http.ts";
import { splitStatements } from "./statements.ts";

const HISTORY_LINES_MAX = 1_000;

const HELP = `  statement;   ask; it may have many lines
  \\d           measurements of this database
  \\d NAME      columns of a measurement
  \\c NAME      use another database
  \\q           end, as Ctrl-D does
  Ctrl-C ends a query that runs, or forgets the lines typed so far.
`;

export interface Talk {
  readonly connection: Connection;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** Shows the answer, or rejects. */
  readonly ask: (connection: Connection, sql: string, signal: AbortSignal) => Promise<void>;
  readonly historyPath: string;
}

interface Conversation {
  readonly talk: Talk;
  connection: Connection;
  /** Lines of a statement that has not ended yet. */
  typed: string;
  running: AbortController | null;
}

/** Resolves when the user ends it. What is asked one after the other is answered in that order. */
export async function converse(talk: Talk): Promise<void> {
  const { connection, input, output, historyPath } = talk;
  const conversation: Conversation = { talk, connection, typed: "", running: null };
  const terminal = createInterface({
    input,
    output,
    terminal: true,
    history: await readHistory(historyPath),
    historySize: HISTORY_LINES_MAX,
    removeHistoryDuplicates: true,
  });
  terminal.on("history", (history: string[]) => void writeHistory(historyPath, history));
  terminal.on("SIGINT", () => {
    if (conversation.running !== null) return conversation.running.abort();
    conversation.typed = "";
    output.write("\n");
    prompt(terminal, conversation);
  });
  output.write(`Sluice at ${connection.url}. \\? for help.\n`);
  prompt(terminal, conversation);
  for await (const line of terminal) {
    if (conversation.typed === "" && /^\s*\\q\s*$/.test(line)) break;
    await take(conversation, line);
    prompt(terminal, conversation);
  }
  terminal.close();
}

export function pathOfHistory(): string {
  const { SLUICE_HISTORY: own, XDG_STATE_HOME: state } = process.env;
  return own || join(state || join(homedir(), ".local/state"), "sluice/history");
}

function prompt(terminal: Interface, { connection, typed }: Conversation): void {
  terminal.setPrompt(typed === "" ? `${connection.database}> ` : "    > ");
  terminal.prompt();
}

async function take(conversation: Conversation, line: string): Promise<void> {
  const command = /^\s*\\(\S*)\s*(.*?)\s*;?\s*$/.exec(line);
  if (conversation.typed === "" && command !== null) {
    return runCommand(conversation, command[1]!, command[2]!);
  }
  const { statements, rest } = splitStatements(`${conversation.typed}${line}\n`);
  conversation.typed = rest;
  for (const sql of statements) await answer(conversation, sql);
}

async function runCommand(conversation: Conversation, name: string, argument: string) {
  if (name === "d" && argument === "") return answer(conversation, "SHOW TABLES");
  if (name === "d") return answer(conversation, `DESCRIBE "${argument.replaceAll('"', '""')}"`);
  if (name === "c" && argument !== "") {
    conversation.connection = { ...conversation.connection, database: argument };
    return;
  }
  conversation.talk.output.write(name === "?" ? HELP : `There is no \\${name}.\n${HELP}`);
}

/** A refusal is told, and the conversation goes on. */
async function answer(conversation: Conversation, sql: string): Promise<void> {
  const running = new AbortController();
  conversation.running = running;
  try {
    await conversation.talk.ask(conversation.connection, sql, running.signal);
  } catch (error) {
    const message = running.signal.aborted ? "cancelled" : (error as Error).message;
    conversation.talk.output.write(`${message}\n`);
  } finally {
    conversation.running = null;
  }
}

/** The last line first, as readline has it. Without a file there is no history. */
async function readHistory(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

/** Queries may name what is nobody else's business: the file is the user's alone. */
async function writeHistory(path: string, history: readonly string[]): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${history.join("\n")}\n`, { mode: 0o600 });
  } catch {
    // A home that cannot be written to is no reason not to answer.
  }
}
