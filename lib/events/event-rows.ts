// Events to the rows of their measurement.

import { type OwnBatch, ownBatch } from "#lib/protocol/own-batch.ts";
import { EVENTS_MEASUREMENT, type StoredEvent, tagsJson } from "./types.ts";

/** At least one event. */
export function eventRows(events: readonly StoredEvent[]): OwnBatch {
  return ownBatch(EVENTS_MEASUREMENT, events, (builder, event) => {
    const { id, seq, type, tags, valueJson, timeUs } = event;
    builder.time.writeInteger(timeUs);
    builder.column("id").writeString(id);
    builder.column("seq").writeInteger(seq);
    builder.column("type").writeString(type);
    builder.column("tags").writeString(tagsJson(tags));
    const value = builder.column("value");
    if (valueJson !== null) value.writeString(valueJson);
  });
}
