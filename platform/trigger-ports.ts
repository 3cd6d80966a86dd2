// What triggers need from the world: events that are out of memory, and the network.

import type { Archive } from "#lib/archive/archive.ts";
import type { SqlStore } from "#lib/base/ports.ts";
import type { DeliveryPorts } from "#lib/triggers/delivery.ts";
import { systemClock } from "./clock.ts";
import { createLog } from "./log.ts";
import { readEvents } from "./read-events.ts";
import { sendWebhook } from "./send-webhook.ts";

export function triggerPorts(
  store: SqlStore,
  archive: Archive,
  env: IngestEnv,
): Omit<DeliveryPorts, "alarm" | "position"> {
  return {
    store,
    clock: systemClock,
    archive,
    newId: () => crypto.randomUUID(),
    random: () => Math.random(),
    readEvents: ({ name }, afterSeq, toSeq) => {
      const asked = { database: name, requestId: crypto.randomUUID(), tokenId: null };
      return readEvents(asked, afterSeq, toSeq, env.QUERY);
    },
    send: sendWebhook,
    report: ({ event, error }) => createLog("triggers", env.LOG_LEVEL).error(event, error),
  };
}
