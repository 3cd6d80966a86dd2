// What runs by itself, and when next: Arc's two schedulers, and every task of every database.

import { LIMITS } from "#lib/base/limits.ts";
import type { Database } from "#lib/directory/types.ts";
import { json } from "#lib/http/respond.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { catalogOf, databasesAsked, globalId, isoTime } from "./catalogs.ts";

/** GET /api/v1/schedulers?database= */
export async function list(arrival: AdmittedArrival): Promise<Response> {
  const databases = await databasesAsked(arrival, "read");
  const tasks = await tasksOf(databases, arrival.env);
  const rollups = await rollupsOf(databases, arrival.env);
  const nextOf = (kind: string) => tasks.find(({ name }) => name.startsWith(kind))?.next_run;
  return json({
    cq_scheduler: {
      running: true,
      license_valid: true,
      job_count: rollups.length,
      jobs: rollups,
    },
    retention_scheduler: {
      running: true,
      license_valid: true,
      schedule: `every ${LIMITS.retentionEveryMs / 60_000} minutes`,
      next_run: nextOf("retention:") ?? "",
    },
    tasks,
  });
}

/** POST /api/v1/schedulers/retention/trigger?database=: every active policy is run now. */
export async function triggerRetention(arrival: AdmittedArrival): Promise<Response> {
  const { env } = arrival;
  let count = 0;
  for (const database of await databasesAsked(arrival, "admin")) {
    const catalog = catalogOf(database, env);
    for (const { policyId, isActive } of await unwrap(catalog.listPolicies())) {
      if (!isActive) continue;
      await unwrap(catalog.planTask(`retention:${policyId}`));
      count++;
    }
  }
  return json({ success: true, message: "Retention triggered", policies: count });
}

/** By time, what is not planned last. */
export async function tasksOf(databases: readonly Database[], env: IngestEnv) {
  const lists = await Promise.all(
    databases.map(async (database) => {
      const tasks = await unwrap(catalogOf(database, env).listTasks());
      return tasks.map(({ name, nextMs, lastMs, lastError }) => ({
        database: database.name,
        name,
        next_run: isoTime(nextMs),
        last_run: isoTime(lastMs),
        last_error: lastError,
      }));
    }),
  );
  const late = "z";
  return lists.flat().toSorted((a, b) => ((a.next_run ?? late) < (b.next_run ?? late) ? -1 : 1));
}

async function rollupsOf(databases: readonly Database[], env: IngestEnv) {
  const lists = await Promise.all(
    databases.map(async (database) => {
      const rollups = await unwrap(catalogOf(database, env).listRollups());
      return rollups
        .filter(({ isActive }) => isActive)
        .map(({ rollupId, name, interval }) => ({
          cq_id: globalId(database, rollupId),
          cq_name: name,
          interval,
        }));
    }),
  );
  return lists.flat();
}
