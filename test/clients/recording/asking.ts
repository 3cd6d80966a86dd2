// Short questions of the tests.

import type { TelemetryManager } from "../../../clients/recording/index.ts";

/** Of all events, in the order of recording. */
export async function typesOf(manager: TelemetryManager): Promise<string[]> {
  await manager.flush();
  return (await manager.queryEvents()).toReversed().map((event) => event.type);
}

export async function countOf(manager: TelemetryManager, name: string): Promise<number> {
  return (await manager.queryMetrics({ name })).length;
}
