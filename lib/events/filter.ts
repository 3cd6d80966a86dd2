// Which events a listener wants: those that have all of the tags, and the type.

import type { NewEvent } from "./types.ts";

export interface EventFilter {
  /** Empty: whatever the tags. */
  readonly tags: readonly string[];
  /** null: of any type. */
  readonly type: string | null;
}

export function isWanted({ tags, type }: EventFilter, event: Pick<NewEvent, "tags" | "type">) {
  if (type !== null && event.type !== type) return false;
  return tags.every((tag) => event.tags.includes(tag));
}
