// POST /api/v1/events: one event or a list, stored and then sent to whoever listens.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { parseNewEvents } from "#lib/events/parse-events.ts";
import { eventJson } from "#lib/events/types.ts";
import { readBody } from "#lib/http/body.ts";
import { decompressBody } from "#lib/protocol/compression.ts";
import { PASSING, patiently } from "#platform/append-batches.ts";
import { postEvents } from "#platform/post-events.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { databaseAnew, databaseFor, idempotencyKeyOf, receiptHeaders } from "./write-batches.ts";

/** 201 with the events as they are stored, in the form in which they came. */
export async function storeEvents(arrival: AdmittedArrival): Promise<Response> {
  const { request, env, requestId, log } = arrival;
  const key = idempotencyKeyOf(request);
  const { newEvents, isList } = parseNewEvents(await bodyOf(request));
  const name = arrival.database ?? DEFAULT_DATABASE;
  const { events, isDuplicate } = await patiently(PASSING, async (isRepeat) => {
    const database = isRepeat ? await databaseAnew(name, env) : await databaseFor(name, env);
    return await postEvents(database, key, newEvents, env.EVENT_STREAM);
  });
  const rowCount = events.length;
  log.debug("events stored", { request_id: requestId, database: name, rows: rowCount });
  const texts = events.map(eventJson);
  const body = isList ? `[${texts.join(",")}]` : texts[0]!;
  const headers = receiptHeaders({ rowCount, isDuplicate });
  const type = { "content-type": "application/json" };
  return new Response(body, { status: 201, headers: { ...headers, ...type } });
}

async function bodyOf(request: Request): Promise<Uint8Array> {
  const limit = LIMITS.eventsBodyBytesMax;
  const bytes = await readBody(request, limit);
  const plain = decompressBody(bytes, request.headers.get("content-encoding"));
  if (plain.length <= limit) return plain;
  const message = `the events have ${plain.length} bytes, more than ${limit}`;
  throw new SluiceError("body_too_large", message, { limit });
}
