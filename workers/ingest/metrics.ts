// Metrics for a scraper: what all isolates have counted, and how the objects stand right now.
//
// Counts come from the hub. Gauges of stored things are asked from the objects that store them, at
// each scrape: nobody has to keep them up to date, and they are never old.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { demandSomewhere } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { tokenOf } from "#lib/http/credentials.ts";
import { withDatabaseNames } from "#lib/telemetry/database-label.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import { bytesLimit } from "#lib/telemetry/metrics/buffer.ts";
import { databases as databasesMetric } from "#lib/telemetry/metrics/catalog.ts";
import { ready as readyMetric } from "#lib/telemetry/metrics/http.ts";
import { info } from "#lib/telemetry/metrics/runtime.ts";
import { SERVICE_VERSION } from "#lib/telemetry/otlp.ts";
import { joinFamilies } from "#lib/telemetry/join-families.ts";
import { CONTENT_TYPES, chooseTextFormat, metricsText } from "#lib/telemetry/prometheus-text.ts";
import { authenticate } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { Arrival } from "./arrival.ts";
import { unreadyReason, within } from "./probes.ts";

export async function metrics(arrival: Arrival): Promise<Response> {
  await demandMetricsAccess(arrival);
  const families = await allFamilies(arrival);
  const format = chooseTextFormat(arrival.request.headers.get("accept"));
  const headers = { "content-type": CONTENT_TYPES[format] };
  return new Response(metricsText(families, format), { headers });
}

/** Open to everybody, as Arc's are, unless the variable METRICS_ACCESS is `token`. */
export async function demandMetricsAccess({ request, env }: Arrival): Promise<void> {
  // Its type knows only the value of wrangler.toml.
  const access: string = env.METRICS_ACCESS;
  if (access === "public") return;
  const text = tokenOf(request);
  if (text === null) throw new SluiceError("token_missing", "Authentication required");
  demandSomewhere(await authenticate(text, env.ADMIN_TOKEN, env.DIRECTORY), "read");
}

/** Also for the pages of statistics. */
export async function allFamilies(arrival: Arrival): Promise<FamilyValues[]> {
  return (await gatherFamilies(arrival)).families;
}

export type GaugedObject = "buffer" | "catalog" | "events" | "alerts";

export interface Gathered {
  readonly families: FamilyValues[];
  /** Objects that did not answer. */
  readonly silent: readonly GaugedObject[];
}

export async function gatherFamilies({ env, log }: Arrival): Promise<Gathered> {
  const databases = await unwrap(within(env.DIRECTORY.getByName("directory").listDatabases()));
  const asked = databases.slice(0, LIMITS.databasesInGaugesMax);
  const silent: GaugedObject[] = [];
  const askOne = async ([object, gauges]: readonly [GaugedObject, Promise<FamilyValues[]>]) => {
    try {
      return await within(gauges);
    } catch (error) {
      silent.push(object);
      log.warn("gauges of an object are missing", { object, reason: String(error) });
      return [];
    }
  };
  const parts = await Promise.all([
    within(env.TELEMETRY_HUB.getByName("hub").families()),
    ...asked.flatMap((database) => gaugesOf(database, env).map(askOne)),
  ]);
  const isReady = (await unreadyReason(env)) === null ? 1 : 0;
  const own: FamilyValues[] = [
    { metric: databasesMetric, series: [{ labels: [], value: databases.length }] },
    { metric: bytesLimit, series: [{ labels: [], value: LIMITS.bufferSoftBytesMax }] },
    { metric: readyMetric, series: [{ labels: [], value: isReady }] },
    { metric: info, series: [{ labels: [SERVICE_VERSION], value: 1 }] },
  ];
  const names = new Map(databases.map(({ databaseId, name }) => [databaseId, name]));
  return { families: joinFamilies(withDatabaseNames([...parts.flat(), ...own], names)), silent };
}

function gaugesOf(
  { databaseId, shardCount }: Database,
  env: IngestEnv,
): (readonly [GaugedObject, Promise<FamilyValues[]>])[] {
  const shards = Array.from({ length: shardCount }, (_, shard) => {
    const buffer = env.DATABASE_BUFFER.getByName(`${databaseId}-${shard}`);
    return ["buffer", buffer.gauges()] as const;
  });
  return [
    ...shards,
    ["catalog", env.DATABASE_CATALOG.getByName(`${databaseId}`).gauges()],
    ["events", env.EVENT_STREAM.getByName(`${databaseId}`).gauges()],
    ["alerts", env.ALERT_RULES.getByName(`${databaseId}`).gauges()],
  ];
}
