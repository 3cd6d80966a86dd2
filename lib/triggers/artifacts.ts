// Triggers as the API shows them and as the archive keeps them: never with the secret.

import { type Change, nameOrId } from "#lib/archive/change.ts";
import { globalIdOf } from "#lib/base/global-ids.ts";
import type { Home, Trigger } from "./types.ts";

/** `position`: the stream's; what it has beyond the cursor is still to be looked at. */
export function describeTrigger(trigger: Trigger, home: Home, position: number) {
  return {
    ...described(trigger, home),
    url: trigger.url,
    state: {
      cursor: trigger.cursorSeq,
      pending: Math.max(0, position - trigger.cursorSeq),
      delivered_events: trigger.deliveredCount,
      failures: trigger.failureCount,
      failing_since: isoTime(trigger.failingSinceMs),
      next_attempt_at: isoTime(trigger.nextAttemptMs),
      last_attempt_at: isoTime(trigger.lastAttemptMs),
      last_delivery_at: isoTime(trigger.lastDeliveryMs),
      last_status: trigger.lastStatus,
      last_error: trigger.lastError,
      disabled_reason: trigger.disabledReason,
    },
  };
}

export function triggerChange(action: Change["action"], trigger: Trigger, home: Home): Change {
  const name = nameOrId(trigger.name, globalIdOf(home.databaseId, trigger.triggerId));
  const artifact = archivedTrigger(trigger, home);
  return { group: "triggers", name, action, database: home.name, artifact };
}

/** Tags of the event that says that a trigger was disabled by itself. */
export function disabledTags(trigger: Trigger, home: Home): string[] {
  const name = nameOrId(trigger.name, globalIdOf(home.databaseId, trigger.triggerId));
  return ["triggers", `triggers:${name}`, "triggers:disabled", `databases:${home.name}`];
}

/**
 * Many services put a secret into the path or the parameters of the URL that they give out, and
 * more people may read the archive than may see triggers: it is told which server, no more.
 */
export function archivedTrigger(trigger: Trigger, home: Home) {
  return { ...described(trigger, home), url: new URL(trigger.url).origin };
}

function described(trigger: Trigger, { databaseId, name }: Home) {
  return {
    id: globalIdOf(databaseId, trigger.triggerId),
    name: trigger.name,
    database: name,
    tags: trigger.tags,
    type: trigger.type,
    enabled: trigger.isEnabled,
    created_at: isoTime(trigger.createdMs),
    updated_at: isoTime(trigger.updatedMs),
  };
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
