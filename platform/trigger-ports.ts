// What triggers need from the world: events that are out of memory, and the network.

import type { Archive } from "#lib/archive/archive.ts";
import type { SqlStore } from "#lib/base/ports.ts";
import { triggersDisabled } from "#lib/telemetry/metrics/events.ts";
import type { DeliveryPorts, TriggerEvent } from "#lib/triggers/delivery.ts";
import { systemClock } from "./clock.ts";
import { createLog, type Log } from "./log.ts";
import { readEvents } from "./read-events.ts";
import { sendWebhook } from "./send-webhook.ts";
import { goOnInObject, meter, reportSoon } from "./telemetry.ts";

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
    send: async (url, webhook, secret) => {
      const outcome = await sendWebhook(url, webhook, secret);
      reportSoon("front-door", env, goOnInObject);
      return outcome;
    },
    report: (event) => tellOfTrigger(event, createLog("triggers", env.LOG_LEVEL)),
  };
}

function tellOfTrigger(event: TriggerEvent, log: Log): void {
  if (event.event === "trigger_failed") return log.error(event.event, event.error);
  const { triggerId: trigger_id, reason } = event;
  meter.add(triggersDisabled, 1);
  log.warn(event.event, { trigger_id, reason });
}
