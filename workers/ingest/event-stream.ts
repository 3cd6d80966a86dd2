// GET /api/v1/events/stream: events as they are stored, as Server-Sent Events.
//
// A listener that comes for the first time is attached to the database's stream, and what that
// sends is passed on as it is. One that comes back, with the id of the last event it saw, may have
// missed more than the stream still has in memory: then the rest is read with SQL first, in spans
// of the stream's numbers, until the stream has all that comes after. An event with a number up to
// the stream's position is in the tables or never will be, so that nothing falls between the two.
//
// The connection ends when the token loses its right to read, and the client is told to come again.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { DEFAULT_DATABASE, unknownDatabase } from "#lib/directory/names.ts";
import { demand } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { type EventFilter, isWanted } from "#lib/events/filter.ts";
import { eventFrame, openingFrame } from "#lib/events/frame.ts";
import { listenerFilter } from "#lib/events/query/listener.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import type { StoredEvent } from "#lib/events/types.ts";
import { tokenOf } from "#lib/http/credentials.ts";
import { readOptionalJsonObject } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { lastEventIdOf, SSE_HEADERS } from "#lib/http/sse.ts";
import { sleep } from "#platform/clock.ts";
import { positiveInteger } from "#platform/config.ts";
import { authenticate, findDatabase } from "#platform/directory.ts";
import { readStretch, TOO_MUCH } from "#platform/read-events.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { leaveWhenDraining } from "./draining.ts";
import { databaseFor } from "./write-batches.ts";

const BODY_BYTES_MAX = 200_000;

interface Subscription {
  readonly database: Database;
  readonly filter: EventFilter;
}

/** Also with the tags in a JSON body: `{"tags": […], "type": …}`. */
export async function streamEvents(arrival: AdmittedArrival): Promise<Response> {
  const body = await readOptionalJsonObject(arrival.request, BODY_BYTES_MAX);
  const filter = listenerFilter(body, new URL(arrival.request.url).searchParams);
  const after = startOf(arrival.request);
  const database = await databaseOf(arrival);
  const subscription = { database, filter };
  const attached = await attach(arrival, subscription, after);
  const { readable, writable } = new IdentityTransformStream();
  const ended = new AbortController();
  const sent =
    "body" in attached
      ? attached.body.pipeTo(writable, { signal: ended.signal })
      : catchUp(arrival, subscription, after!, writable, ended.signal);
  sent.catch(() => {}).finally(() => ended.abort());
  void endWithAccess(arrival, ended);
  void leaveWhenDraining(
    () => ended.abort(),
    () => ended.signal.aborted,
  );
  return new Response(readable, { headers: SSE_HEADERS });
}

/** Of the stream as it is in memory now: for operators, and for those who test it. */
export async function streamStatus(arrival: AdmittedArrival): Promise<Response> {
  const { databaseId, name } = await databaseOf(arrival);
  const stream = arrival.env.EVENT_STREAM.getByName(`${databaseId}`);
  const { clients, position, droppedSlow, hungUp, waitingPosts } = await unwrap(stream.status());
  return json({
    database: name,
    clients,
    position,
    dropped_slow: droppedSlow,
    hung_up: hungUp,
    waiting_posts: waitingPosts,
  });
}

/** The last event that the client has seen; null: it wants what comes from now on. */
function startOf(request: Request): number | null {
  const last = lastEventIdOf(request);
  if (last !== null) {
    if (/^\d{1,15}$/.test(last)) return Number(last);
    throw wrongParameter("last_event_id", "the id of an event of this stream");
  }
  const from = new URL(request.url).searchParams.get("from") || "now";
  if (from === "now") return null;
  if (from === "beginning") return 0;
  throw wrongParameter("from", "now or beginning");
}

/** That of bare requests can be listened to before there is anything in it. */
async function databaseOf({ env, database }: AdmittedArrival): Promise<Database> {
  const name = database ?? DEFAULT_DATABASE;
  const known = await findDatabase(name, env.DIRECTORY);
  if (known !== null) return known;
  if (name === DEFAULT_DATABASE) return await databaseFor(name, env);
  throw unknownDatabase(name);
}

/** The stream from there on; or, when it has forgotten that much, where it stands. */
async function attach(
  { env }: AdmittedArrival,
  { database, filter }: Subscription,
  after: number | null,
): Promise<{ body: ReadableStream<Uint8Array> } | { position: number }> {
  const query = new URLSearchParams(filter.tags.map((tag) => ["tag", tag]));
  if (filter.type !== null) query.set("type", filter.type);
  if (after !== null) query.set("after", `${after}`);
  const stream = env.EVENT_STREAM.getByName(`${database.databaseId}`);
  const response = await unwrap(stream.fetch(`http://event-stream/?${query}`));
  if (response.status === 200) return { body: response.body! };
  if (response.status === 409) return await response.json();
  const message = `more than ${LIMITS.eventListenersMax} listen to this stream`;
  throw new SluiceError("stream_full", message, { retry_after_s: 5 });
}

/** What the stream no longer has, and then the stream. */
async function catchUp(
  arrival: AdmittedArrival,
  subscription: Subscription,
  after: number,
  writable: WritableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const attached = await sendMissed(arrival, subscription, after, writable, signal);
  await attached?.pipeTo(writable, { signal });
}

/** null: the connection has ended. */
async function sendMissed(
  arrival: AdmittedArrival,
  subscription: Subscription,
  after: number,
  writable: WritableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array> | null> {
  const writer = writable.getWriter();
  try {
    await writer.write(openingFrame(after));
    for (let span: Span = { seen: after, seqs: LIMITS.eventsCaughtUpPerQuery }; ;) {
      signal.throwIfAborted();
      const attached = await attach(arrival, subscription, span.seen);
      if ("body" in attached) {
        writer.releaseLock();
        return attached.body;
      }
      span = await sendStored(arrival, subscription, span, attached.position, writer);
    }
  } catch (error) {
    const { log, requestId } = arrival;
    log.info("event stream ended", { request_id: requestId, reason: String(error) });
    await writer.abort(error).catch(() => {});
    return null;
  }
}

interface Span {
  /** All up to there was sent. */
  readonly seen: number;
  /** How many places to ask for at once. */
  readonly seqs: number;
}

/** Some of the events after those seen, and not after `position`. */
async function sendStored(
  { env, requestId, principal: { tokenId } }: AdmittedArrival,
  { database, filter }: Subscription,
  { seen, seqs }: Span,
  position: number,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<Span> {
  const upTo = Math.min(seen + seqs, position);
  const asked = { database: database.name, requestId, tokenId };
  let events: readonly StoredEvent[];
  try {
    events = await readStretch(asked, seen, upTo, env.QUERY);
  } catch (error) {
    if (!isSluiceError(error) || !TOO_MUCH.has(error.code) || seqs === 1) throw error;
    return { seen, seqs: Math.ceil(seqs / 4) };
  }
  for (const event of events) if (isWanted(filter, event)) await writer.write(eventFrame(event));
  return { seen: upTo, seqs: Math.min(2 * seqs, LIMITS.eventsCaughtUpPerQuery) };
}

async function endWithAccess(
  { request, env, database }: AdmittedArrival,
  ended: AbortController,
): Promise<void> {
  const everyMs = positiveInteger("EVENT_HEARTBEAT_MS", env.EVENT_HEARTBEAT_MS);
  while (!ended.signal.aborted) {
    await sleep(everyMs);
    try {
      const principal = await authenticate(tokenOf(request)!, env.ADMIN_TOKEN, env.DIRECTORY);
      demand(principal, "read", database ?? DEFAULT_DATABASE);
    } catch (error) {
      // A directory that does not answer says nothing of the token.
      if (isSluiceError(error) && error.code !== "buffer_unavailable") ended.abort(error);
    }
  }
}
