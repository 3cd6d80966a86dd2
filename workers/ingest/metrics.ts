// Metrics for a scraper: what all isolates have counted, and how the objects stand right now.
//
// Counts come from the hub. Gauges of stored things are asked from the objects that store them, at
// each scrape: nobody has to keep them up to date, and they are never old.

import type { Database } from "#lib/directory/types.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { withDatabaseNames } from "#lib/telemetry/database-label.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import { bytesLimit } from "#lib/telemetry/metrics/buffer.ts";
import { databases as databasesMetric } from "#lib/telemetry/metrics/catalog.ts";
import { ready as readyMetric } from "#lib/telemetry/metrics/http.ts";
import { joinFamilies } from "#lib/telemetry/join-families.ts";
import { CONTENT_TYPES, chooseTextFormat, metricsText } from "#lib/telemetry/prometheus-text.ts";
import { unwrap } from "#platform/rpc.ts";
import type { Arrival } from "./arrival.ts";
import { unreadyReason } from "./health.ts";

export async function metrics(arrival: Arrival): Promise<Response> {
  const families = await allFamilies(arrival);
  const format = chooseTextFormat(arrival.request.headers.get("accept"));
  const headers = { "content-type": CONTENT_TYPES[format] };
  return new Response(metricsText(families, format), { headers });
}

/** Also for the pages of statistics. */
export async function allFamilies({ env, log }: Arrival): Promise<FamilyValues[]> {
  const databases = await unwrap(env.DIRECTORY.getByName("directory").listDatabases());
  const asked = databases.slice(0, LIMITS.databasesInGaugesMax);
  const failed = (error: unknown) => {
    log.warn("gauges of an object are missing", { reason: String(error) });
    return [];
  };
  const parts = await Promise.all([
    env.TELEMETRY_HUB.getByName("hub").families(),
    ...asked.flatMap((database) => gaugesOf(database, env).map((part) => part.catch(failed))),
  ]);
  const isReady = (await unreadyReason(env)) === null ? 1 : 0;
  const own: FamilyValues[] = [
    { metric: databasesMetric, series: [{ labels: [], value: databases.length }] },
    { metric: bytesLimit, series: [{ labels: [], value: LIMITS.bufferSoftBytesMax }] },
    { metric: readyMetric, series: [{ labels: [], value: isReady }] },
  ];
  const names = new Map(databases.map(({ databaseId, name }) => [databaseId, name]));
  return withDatabaseNames(joinFamilies([...parts.flat(), ...own]), names);
}

function gaugesOf({ databaseId, shardCount }: Database, env: IngestEnv): Promise<FamilyValues[]>[] {
  const shards = Array.from({ length: shardCount }, (_, shard) =>
    env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`).gauges(),
  );
  return [...shards, env.DATABASE_CATALOG.getByName(`${databaseId}`).gauges()];
}
