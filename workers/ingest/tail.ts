// The live tail of a measurement: rows as they are acknowledged, whichever way they came.
//
// The work is lib/tail/tail.ts; here it meets the buffers, and the client's connection. The answer
// is pulled: what the client does not take is not read from the log. A client that is gone is
// noticed at the next message or heartbeat that cannot be sent.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { TableSchema } from "#lib/catalog/schema.ts";
import { DEFAULT_DATABASE, unknownDatabase } from "#lib/directory/names.ts";
import { demand } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { unknownParameter } from "#lib/base/wrong-parameter.ts";
import { tokenOf } from "#lib/http/credentials.ts";
import { lastEventIdOf, SSE_HEADERS } from "#lib/http/sse.ts";
import { Tail, type TailPorts, type TailSpec } from "#lib/tail/tail.ts";
import { fromStreamedRun } from "#platform/byte-run.ts";
import { sleep } from "#platform/clock.ts";
import { positiveInteger } from "#platform/config.ts";
import { authenticate, findDatabase } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { leaveWhenDraining } from "./draining.ts";

const PARAMETERS = ["database", "rows", "columns", "where", "last_event_id"];

/** GET /api/v1/tail/:measurement?database=&rows=&columns=&where=&last_event_id= */
export async function tailMeasurement(arrival: AdmittedArrival): Promise<Response> {
  const { env, params, request } = arrival;
  const name = arrival.database ?? DEFAULT_DATABASE;
  const database = await findDatabase(name, env.DIRECTORY);
  if (database === null) throw unknownDatabase(name);
  const catalog = env.DATABASE_CATALOG.getByName(`${database.databaseId}`);
  const schema = await unwrap(catalog.findSchema(params["measurement"]!));
  if (schema === null) throw notYet(params["measurement"]!);
  const tail = await Tail.open(portsOf(arrival, database), {
    ...wishesOf(request, database, schema),
    heartbeatMs: positiveInteger("EVENT_HEARTBEAT_MS", env.EVENT_HEARTBEAT_MS),
  });
  return new Response(streamOf(tail, arrival), { headers: SSE_HEADERS });
}

function portsOf({ env, request }: AdmittedArrival, { databaseId, name }: Database): TailPorts {
  const bufferOf = (shard: number) => env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`);
  const catalog = env.DATABASE_CATALOG.getByName(`${databaseId}`);
  return {
    startFollowing: (shard, tableId, rows) =>
      unwrap(bufferOf(shard).startFollowing(shard, tableId, rows)),
    async follow(asked) {
      const { headers, bodies, ...followed } = await unwrap(bufferOf(asked.shard).follow(asked));
      return { ...followed, run: await fromStreamedRun({ headers, bodies }) };
    },
    findSchema: async (tableId) => (await unwrap(catalog.schemas([tableId])))[0] ?? null,
    async demandAccess() {
      const principal = await authenticate(tokenOf(request)!, env.ADMIN_TOKEN, env.DIRECTORY);
      demand(principal, "read", name);
    },
    sleep,
  };
}

function wishesOf(
  request: Request,
  { databaseId, shardCount }: Database,
  schema: TableSchema,
): Omit<TailSpec, "heartbeatMs"> {
  const { searchParams } = new URL(request.url);
  // `p` is a token, which is read elsewhere.
  const unknown = [...searchParams.keys()].find(
    (name) => name !== "p" && !PARAMETERS.includes(name),
  );
  if (unknown !== undefined) throw unknownParameter(unknown, PARAMETERS);
  const columns = searchParams.getAll("columns").flatMap((names) => names.split(","));
  return {
    databaseId,
    shardCount,
    schema,
    lastEventId: lastEventIdOf(request),
    rows: rowsOf(searchParams.get("rows")),
    columns: columns.length === 0 ? null : [...new Set(columns)],
    where: searchParams.getAll("where"),
  };
}

function rowsOf(text: string | null): number {
  if (text === null) return 0;
  const rows = /^\d{1,6}$/.test(text) ? Number(text) : Infinity;
  if (rows <= LIMITS.tailRowsMax) return rows;
  const limit = LIMITS.tailRowsMax;
  const message = `"rows" must be a number from 0 to ${limit}`;
  throw new SluiceError("parameter_invalid", message, { field: "rows", limit });
}

function streamOf(tail: Tail, { log, requestId }: AdmittedArrival): ReadableStream<Uint8Array> {
  const messages = tail.messages();
  const utf8 = new TextEncoder();
  let isGone = false;
  void leaveWhenDraining(
    () => tail.leave(),
    () => isGone,
  );
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { value, done } = await messages.next();
          // A stream that was cancelled meanwhile takes nothing any more, not even its end.
          if (isGone) return;
          if (done !== true) return controller.enqueue(utf8.encode(value));
          isGone = true;
          controller.close();
        } catch (error) {
          isGone = true;
          log.error("tail failed", error, { request_id: requestId });
          controller.error(error);
        }
      },
      cancel() {
        isGone = true;
        tail.leave();
      },
    },
    { highWaterMark: 0 },
  );
}

function notYet(measurement: string): SluiceError {
  const message = `there is no measurement "${measurement}"; the first row that is written to it makes it`;
  return new SluiceError("measurement_unknown", message, { measurement });
}
