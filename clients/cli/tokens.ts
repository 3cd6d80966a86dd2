// `sluice tokens`: who may do what. A secret is printed alone on standard output, for scripts.

import { requestJson } from "../client/http.ts";
import { UsageError, type Arguments, type Command } from "./command.ts";
import { print, printTable } from "./terminal.ts";

const PATH = "/api/v1/auth/tokens";
const PERMISSIONS = ["read", "write", "delete", "admin"];

export const tokensCommand: Command = {
  name: "tokens",
  summary: "list, create, rotate, revoke and delete API tokens",
  usage: "",
  options: {},
  examples: [["sluice tokens list", "which there are"]],
  subcommands: [
    {
      name: "list",
      summary: "all tokens, without their secrets",
      usage: "[OPTIONS]",
      options: { json: { type: "boolean", help: "the server's own answer" } },
      examples: [["sluice tokens list", "a table of them"]],
      run: runList,
    },
    {
      name: "create",
      summary: "make a token and print it; it is shown this once",
      usage: "NAME [OPTIONS]",
      options: {
        permission: {
          type: "string",
          multiple: true,
          value: "P",
          help: "read, write, delete or admin; more than once for more of them (read)",
        },
        databases: {
          type: "string",
          multiple: true,
          value: "PATTERN",
          help: "of which databases, e.g. prod_* (all)",
        },
        expires: { type: "string", value: "TIME", help: "after how long it ends, e.g. 7d (never)" },
      },
      examples: [
        [
          "sluice tokens create shipper --permission write --databases events --expires 90d",
          "for a program that writes events",
        ],
      ],
      run: runCreate,
    },
    {
      name: "rotate",
      summary: "give a token a new secret and print it; the old one ends at once",
      usage: "ID",
      options: {},
      examples: [["sluice tokens rotate 3", "a new secret for token 3"]],
      run: runRotate,
    },
    {
      name: "revoke",
      summary: "end a token; it stays in the list",
      usage: "ID",
      options: {},
      examples: [["sluice tokens revoke 3", "token 3 works no more"]],
      run: (args) => change(args, "POST", "/revoke", "revoked"),
    },
    {
      name: "delete",
      summary: "end a token and forget it",
      usage: "ID",
      options: {},
      examples: [["sluice tokens delete 3", "there is no token 3"]],
      run: (args) => change(args, "DELETE", "", "deleted"),
    },
  ],
};

async function runList(args: Arguments): Promise<number> {
  args.atMost(0);
  const answer = await requestJson<{ tokens: object[] }>(args.connection(), PATH);
  if (args.isSet("json")) await print(`${JSON.stringify(answer)}\n`);
  else await printTable(answer.tokens);
  return 0;
}

async function runCreate(args: Arguments): Promise<number> {
  args.atMost(1);
  const name = args.positional(0, "the name of the token");
  const asked = args.list("permission");
  const permissions = asked.length === 0 ? ["read"] : asked;
  const unknown = permissions.find((permission) => !PERMISSIONS.includes(permission));
  if (unknown !== undefined) {
    throw new UsageError(`--permission is one of ${PERMISSIONS.join(", ")}, not "${unknown}"`);
  }
  const databases = args.list("databases");
  const expires = args.text("expires");
  const json = {
    name,
    permissions,
    ...(databases.length > 0 ? { databases } : {}),
    ...(expires === undefined ? {} : { expires_in: expires }),
  };
  const created = { method: "POST", json };
  const { token } = await requestJson<{ token: string }>(args.connection(), PATH, created);
  await print(`${token}\n`);
  return 0;
}

async function runRotate(args: Arguments): Promise<number> {
  const path = `${pathOf(args)}/rotate`;
  const rotated = await requestJson<{ new_token: string }>(args.connection(), path, {
    method: "POST",
  });
  await print(`${rotated.new_token}\n`);
  return 0;
}

async function change(args: Arguments, method: string, action: string, done: string) {
  await requestJson(args.connection(), pathOf(args) + action, { method });
  process.stderr.write(`token ${args.positionals[0]} is ${done}\n`);
  return 0;
}

function pathOf(args: Arguments): string {
  args.atMost(1);
  return `${PATH}/${encodeURIComponent(args.positional(0, "the id of the token"))}`;
}
