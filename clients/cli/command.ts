// What a command is, and how its arguments are read: node:util's parseArgs, with help.

import { parseArgs } from "node:util";

import type { Connection } from "../client/http.ts";

export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** How the help calls the value, e.g. `N`. */
  readonly value?: string;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What stands behind the name, e.g. `MEASUREMENT [FILE]`. */
  readonly usage: string;
  /** What is not obvious from usage and options. */
  readonly about?: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Command lines without `sluice `, each with what it does. */
  readonly examples: readonly (readonly [command: string, effect: string])[];
  readonly subcommands?: readonly Command[];
  /** Resolves with the exit code. Not called where there are subcommands. */
  readonly run?: (args: Arguments) => Promise<number>;
}

/** Exit code 2: the command line itself is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Exit code 1, with a message that needs no stack. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

/** Every command takes these. */
export const SETTINGS = {
  url: { type: "string", value: "URL", help: "the server (SLUICE_URL; http://localhost:8000)" },
  token: { type: "string", value: "TOKEN", help: "the API token (SLUICE_TOKEN)" },
  database: { type: "string", value: "NAME", help: "the database (SLUICE_DATABASE; default)" },
  help: { type: "boolean", short: "h", help: "this text" },
} as const satisfies Record<string, Option>;

const URL_DEFAULT = "http://localhost:8000";
const DATABASE_DEFAULT = "default";

type Environment = Readonly<Record<string, string | undefined>>;

/** A command line that was read. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #environment: Environment;

  constructor(command: Command, words: readonly string[], environment: Environment) {
    const { values, positionals } = parse(command, words);
    this.positionals = positionals;
    this.#values = values;
    this.#environment = environment;
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }

  isSet(name: string): boolean {
    return this.#values[name] === true;
  }

  list(name: string): readonly string[] {
    return (this.#values[name] as readonly string[] | undefined) ?? [];
  }

  number(name: string, fallback: number, min: number, max: number): number {
    const text = this.text(name);
    const value = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
    if (text === undefined) return fallback;
    if (value >= min && value <= max) return value;
    throw new UsageError(`--${name} must be a number from ${min} to ${max}, not "${text}"`);
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined || known.includes(text as T)) return text as T | undefined;
    throw new UsageError(`--${name} must be one of ${known.join(", ")}, not "${text}"`);
  }

  /** The positional at `index`, which must be there. */
  positional(index: number, what: string): string {
    const text = this.positionals[index];
    if (text !== undefined) return text;
    throw new UsageError(`${what} is missing`);
  }

  /** No more positionals than these. */
  atMost(count: number): void {
    const extra = this.positionals[count];
    if (extra !== undefined) throw new UsageError(`what is "${extra}" for?`);
  }

  /** Where to send requests, and as whom. */
  connection(): Connection {
    const url = this.text("url") ?? this.#setting("SLUICE_URL") ?? URL_DEFAULT;
    const token = this.text("token") ?? this.#setting("SLUICE_TOKEN");
    const database = this.text("database") ?? this.#setting("SLUICE_DATABASE") ?? DATABASE_DEFAULT;
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
      throw new UsageError(`--url must be like ${URL_DEFAULT}, not "${url}"`);
    }
    if (token === undefined) {
      throw new UsageError("no token: give --token or set SLUICE_TOKEN");
    }
    return { url: url.replace(/\/+$/, ""), token, database, fetch };
  }

  #setting(name: string): string | undefined {
    const value = this.#environment[name];
    return value === "" ? undefined : value;
  }
}

function parse(command: Command, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, ...SETTINGS }).map(([name, option]: [string, Option]) => [
      name,
      {
        type: option.type,
        ...(option.short === undefined ? {} : { short: option.short }),
        ...(option.multiple === true ? { multiple: true } : {}),
      },
    ]),
  );
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(error.message.split(". ")[0]!);
  }
}
