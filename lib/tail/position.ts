// Where a tail is, as the `id` of its messages: `<database id>:` and a place in the log of each of
// its shards, `<segment id>/<sequence>/<rows>/<ms>` with commas between.
//
// A client hands it back as it got it. It may be of any age, and of a database of the same name
// that was dropped: then it is none of ours, and the buffer tells a gap.

import { SluiceError } from "#lib/base/errors.ts";
import type { LogPosition } from "#lib/buffer/types.ts";

export interface TailPosition {
  readonly databaseId: number;
  /** By number of the shard. */
  readonly shards: readonly LogPosition[];
}

const CHARS_MAX = 10_000;
const PATTERN = /^(\d{1,15}):(.+)$/;
const SHARD_PATTERN = /^(\d{1,6}\.\d{1,9}\.\d{1,15})\/(\d{1,15})\/(\d{1,15})\/(\d{1,15})$/;

export function formatTailPosition({ databaseId, shards }: TailPosition): string {
  const places = shards.map(
    ({ segmentId, sequence, rows, atMs }) => `${segmentId}/${sequence}/${rows}/${atMs}`,
  );
  return `${databaseId}:${places.join(",")}`;
}

/** Throws `parameter_invalid` for what no tail of so many shards has given. */
export function parseTailPosition(text: string, shardCount: number): TailPosition {
  const match = text.length <= CHARS_MAX ? PATTERN.exec(text) : null;
  if (match === null) throw invalid(text);
  const places = match[2]!.split(",");
  if (places.length !== shardCount) throw invalid(text);
  const shards = places.map((place) => {
    const parts = SHARD_PATTERN.exec(place);
    if (parts === null) throw invalid(text);
    const [, segmentId, sequence, rows, atMs] = parts;
    return {
      segmentId: segmentId!,
      sequence: Number(sequence),
      rows: Number(rows),
      atMs: Number(atMs),
    };
  });
  return { databaseId: Number(match[1]), shards };
}

function invalid(text: string): SluiceError {
  const shown = JSON.stringify(text.slice(0, 60));
  const message = `Last-Event-ID ${shown} is not an id that a tail of this database has given`;
  return new SluiceError("parameter_invalid", message, { field: "last_event_id" });
}
