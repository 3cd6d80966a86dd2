// All commands, in the order in which the help lists them.

import type { Command } from "./command.ts";
import { databasesCommand } from "./databases.ts";
import { eventsCommand } from "./events.ts";
import { loadCommand } from "./load/load.ts";
import { queryCommand } from "./query/query.ts";
import { tailCommand } from "./tail.ts";
import { tokensCommand } from "./tokens.ts";
import { writeCommand } from "./write/write.ts";

export const COMMANDS: readonly Command[] = [
  writeCommand,
  queryCommand,
  tailCommand,
  eventsCommand,
  databasesCommand,
  tokensCommand,
  loadCommand,
];
