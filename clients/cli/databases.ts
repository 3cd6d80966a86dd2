// `sluice databases`: what there is, a new one, one less.

import { requestJson } from "../client/http.ts";
import { UsageError, type Arguments, type Command } from "./command.ts";
import { print, printTable } from "./terminal.ts";

const PATH = "/api/v1/databases";

export const databasesCommand: Command = {
  name: "databases",
  summary: "list, create and drop databases",
  usage: "",
  options: {},
  examples: [["sluice databases list", "which there are"]],
  subcommands: [
    {
      name: "list",
      summary: "the databases that the token may read",
      usage: "[OPTIONS]",
      options: { json: { type: "boolean", help: "the server's own answer" } },
      examples: [["sluice databases list", "a table of them"]],
      run: runList,
    },
    {
      name: "create",
      summary: "make a database; a first write does so, too",
      usage: "NAME",
      options: {},
      examples: [["sluice databases create events", "one called events"]],
      run: runCreate,
    },
    {
      name: "drop",
      summary: "remove a database with all its rows",
      usage: "NAME --yes",
      about: "Without --yes it only says what would be gone.",
      options: { yes: { type: "boolean", help: "yes, all of it" } },
      examples: [
        ["sluice databases drop events", "how much is in it"],
        ["sluice databases drop events --yes", "drop it"],
      ],
      run: runDrop,
    },
  ],
};

interface Dropped {
  readonly message: string;
  readonly files_deleted: number;
  readonly rows_deleted: number;
  readonly bytes_deleted: number;
}

async function runList(args: Arguments): Promise<number> {
  args.atMost(0);
  const answer = await requestJson<{ databases: object[] }>(args.connection(), PATH);
  if (args.isSet("json")) await print(`${JSON.stringify(answer)}\n`);
  else await printTable(answer.databases);
  return 0;
}

async function runCreate(args: Arguments): Promise<number> {
  args.atMost(1);
  const name = args.positional(0, "the name of the database");
  await requestJson(args.connection(), PATH, { method: "POST", json: { name } });
  process.stderr.write(`database ${name} is there\n`);
  return 0;
}

async function runDrop(args: Arguments): Promise<number> {
  args.atMost(1);
  const name = args.positional(0, "the name of the database");
  const isMeant = args.isSet("yes");
  const path = `${PATH}/${encodeURIComponent(name)}?${isMeant ? "confirm" : "dry_run"}=true`;
  const dropped = await requestJson<Dropped>(args.connection(), path, { method: "DELETE" });
  const contents = `${grouped(dropped.rows_deleted)} rows in ${grouped(dropped.files_deleted)} files`;
  if (!isMeant) throw new UsageError(`${name} has ${contents}: drop it with --yes`);
  process.stderr.write(`${name} is dropped, with ${contents}\n`);
  return 0;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}
