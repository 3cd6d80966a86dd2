// Events that are stored, read with SQL by their places in the stream.

import { type ErrorCode, isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { EVENTS_MEASUREMENT, type StoredEvent } from "#lib/events/types.ts";
import type { EventPage } from "#lib/triggers/types.ts";
import { askRows } from "./ask-query.ts";

export interface EventsAsked {
  readonly database: string;
  readonly requestId: string;
  /** null: the system itself asks. */
  readonly tokenId: number | null;
}

/** Of events with large values fewer are asked for, where these are the answer. */
export const TOO_MUCH: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "query_too_large",
  "query_out_of_memory",
]);

/**
 * Some of the events after `afterSeq` and not after `toSeq`, in their order: as many as fit into
 * one answer. Throws what refuses a query.
 */
export async function readEvents(
  asked: EventsAsked,
  afterSeq: number,
  toSeq: number,
  worker: IngestEnv["QUERY"],
): Promise<EventPage> {
  for (let span: number = LIMITS.eventsCaughtUpPerQuery; ; span = Math.ceil(span / 4)) {
    const upTo = Math.min(afterSeq + span, toSeq);
    try {
      return { events: await readStretch(asked, afterSeq, upTo, worker), upTo };
    } catch (error) {
      const isTooMuch = isSluiceError(error) && TOO_MUCH.has(error.code);
      if (!isTooMuch || span === 1) throw error;
    }
  }
}

/** All of the events after `afterSeq` and not after `upTo`. Throws what refuses a query. */
export async function readStretch(
  asked: EventsAsked,
  afterSeq: number,
  upTo: number,
  worker: IngestEnv["QUERY"],
): Promise<StoredEvent[]> {
  const sql = `SELECT id, seq, type, tags, value, epoch_us(time) FROM ${EVENTS_MEASUREMENT}
    WHERE seq > ${afterSeq} AND seq <= ${upTo}`;
  try {
    const { rows } = await askRows({ ...asked, sql }, LIMITS.eventsCaughtUpBytesMax, worker);
    const events = rows.map(([id, seq, type, tags, value, timeUs]) => ({
      id: id as string,
      seq: Number(seq),
      type: type as string,
      tags: JSON.parse(tags as string) as string[],
      valueJson: value as string | null,
      timeUs: Number(timeUs),
    }));
    // Not by the query: a sort holds all of them in the engine's memory.
    return events.sort((a, b) => a.seq - b.seq);
  } catch (error) {
    // The measurement was dropped or renamed, and its events with it.
    if (isSluiceError(error) && error.code === "measurement_unknown") return [];
    throw error;
  }
}
