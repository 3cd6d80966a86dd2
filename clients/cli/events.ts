// `sluice events`: tagged events, posted, found and followed.

import { SluiceClient } from "../client/client.ts";
import type { EventPageRequest, NewTaggedEvent, TaggedEvent } from "../client/events.ts";
import { UsageError, type Arguments, type Command, type Option } from "./command.ts";
import { jsonOf } from "./query/table.ts";
import { onInterrupt, print, printTable } from "./terminal.ts";

const TAG: Option = {
  type: "string",
  short: "t",
  multiple: true,
  value: "TAG",
  help: "a tag, single or group:name; more than once for more tags",
};
const TYPE: Option = { type: "string", value: "TYPE", help: "the type of event" };
const JSON_LINES: Option = { type: "boolean", help: "lines of JSON on a terminal, too" };

const LIMIT_DEFAULT = 30;

export const eventsCommand: Command = {
  name: "events",
  summary: "post, find and follow tagged events",
  usage: "",
  options: {},
  examples: [["sluice events find --tag deploy", "the last events with this tag"]],
  subcommands: [
    {
      name: "post",
      summary: "record an event and print it as it is stored",
      usage: "[VALUE] [OPTIONS]",
      about: "VALUE is JSON, or else taken as text. Without it the event has no value.",
      options: {
        tag: TAG,
        type: { ...TYPE, help: "the type of event (event)" },
        time: { type: "string", value: "TIME", help: "when it was, RFC 3339 (now)" },
      },
      examples: [
        ["sluice events post --tag deploy --tag service:api", "something happened"],
        ["sluice events post '{\"ms\": 321}' --type timing --tag page:home", "with a value"],
      ],
      run: runPost,
    },
    {
      name: "find",
      summary: "events that have all the tags, the newest first",
      usage: "[OPTIONS]",
      options: {
        tag: TAG,
        type: TYPE,
        from: { type: "string", value: "TIME", help: "RFC 3339 or date math, e.g. now-1h/d" },
        to: { type: "string", value: "TIME", help: "the same; both ends are included" },
        oldest: { type: "boolean", help: "the oldest first" },
        limit: { type: "string", value: "N", help: `at most so many (${LIMIT_DEFAULT})` },
        json: JSON_LINES,
      },
      examples: [
        ["sluice events find --tag service:api --from now-1d", "of the last day"],
        ["sluice events find --type archive --limit 1000 --json", "for another program"],
      ],
      run: runFind,
    },
    {
      name: "stream",
      summary: "follow events as they are stored",
      usage: "[OPTIONS]",
      about: "Goes on without a gap when the connection breaks, and ends at Ctrl-C.",
      options: {
        tag: TAG,
        type: TYPE,
        after: {
          type: "string",
          value: "SEQ",
          help: "begin behind the event of this number (now)",
        },
        count: { type: "string", value: "N", help: "end after so many events" },
      },
      examples: [["sluice events stream --tag deploy", "each as a line of JSON"]],
      run: runStream,
    },
  ],
};

async function runPost(args: Arguments): Promise<number> {
  args.atMost(1);
  const value = args.positionals[0];
  const type = args.text("type");
  const time = args.text("time");
  const event: NewTaggedEvent = {
    tags: args.list("tag"),
    ...(type === undefined ? {} : { type }),
    ...(value === undefined ? {} : { value: parseValue(value) }),
    ...(time === undefined ? {} : { timestamp: time }),
  };
  const [stored] = await newClient(args).events.post(event);
  await print(`${jsonOf(stored)}\n`);
  return 0;
}

async function runFind(args: Arguments): Promise<number> {
  args.atMost(0);
  const limit = args.number("limit", LIMIT_DEFAULT, 1, 1e9);
  const [from, to] = [args.text("from"), args.text("to")];
  const filter: EventPageRequest = {
    ...filterOf(args),
    order: args.isSet("oldest") ? "asc" : "desc",
    perPage: Math.min(limit, 1_000),
    timestamp: {
      ...(from === undefined ? {} : { gte: from }),
      ...(to === undefined ? {} : { lte: to }),
    },
  };
  const isTable = process.stdout.isTTY && !args.isSet("json");
  const shown: TaggedEvent[] = [];
  let count = 0;
  for await (const event of newClient(args).events.all(filter)) {
    if (isTable) shown.push(event);
    else await print(`${jsonOf(event)}\n`);
    if (++count >= limit) break;
  }
  if (isTable)
    await printTable(
      shown.map(({ timestamp, type, tags, value }) => ({ timestamp, type, tags, value })),
    );
  return 0;
}

async function runStream(args: Arguments): Promise<number> {
  args.atMost(0);
  const after = args.text("after");
  const countMax = args.number("count", Number.POSITIVE_INFINITY, 1, 1e15);
  if (after !== undefined && !/^\d+$/.test(after)) {
    throw new UsageError(`--after must be the seq of an event, not "${after}"`);
  }
  const abort = new AbortController();
  const release = onInterrupt(() => abort.abort());
  const events = newClient(args).events.stream({
    ...filterOf(args),
    signal: abort.signal,
    ...(after === undefined ? {} : { after: Number(after) }),
  });
  let count = 0;
  for await (const event of events) {
    await print(`${jsonOf(event)}\n`);
    if (++count >= countMax) break;
  }
  release();
  return 0;
}

function newClient(args: Arguments): SluiceClient {
  const { url, token, database } = args.connection();
  return new SluiceClient({ url, token, database, retryForMs: 10_000 });
}

function filterOf(args: Arguments): { tags: readonly string[]; type?: string } {
  const type = args.text("type");
  return { tags: args.list("tag"), ...(type === undefined ? {} : { type }) };
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
