// Alert rules and scheduled metrics of a database (lib/alerts/alerts.ts).
//
// The secret that webhooks are signed with is in the answer that makes or changes it, and nowhere
// else. What a rule's JSON may be: lib/alerts/parse-rule.ts.

import { alertIdTag, describeRule, type ShownRule } from "#lib/alerts/artifacts.ts";
import { parseRule } from "#lib/alerts/parse-rule.ts";
import { isSluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { checkDatabaseName, DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { demand } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { EVENTS_MEASUREMENT, eventTime } from "#lib/events/types.ts";
import { type JsonObject, readJsonObject, textField } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { askRows } from "#platform/ask-query.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { databasesAsked, globalId, limitOf, named } from "./catalogs.ts";
import { newSecret, secretField } from "./webhook-secret.ts";
import { databaseFor } from "./write-batches.ts";

const BODY_BYTES_MAX = 60_000;
const HISTORY_DEFAULT = 100;

/** GET /api/v1/alerts?database= */
export async function list(arrival: AdmittedArrival): Promise<Response> {
  const databases = await databasesAsked(arrival, "admin");
  const lists = await Promise.all(
    databases.map(async (database) => {
      const shown = await unwrap(rulesOf(database, arrival.env).list());
      return shown.map((rule: ShownRule) => describeRule(rule, database));
    }),
  );
  return json(lists.flat());
}

/** POST /api/v1/alerts: of the database in the body, or else in `x-arc-database`. */
export async function create(arrival: AdmittedArrival): Promise<Response> {
  const { request, env, principal } = arrival;
  const body = await readJsonObject(request, BODY_BYTES_MAX);
  const name = textField(body, "database", arrival.database ?? DEFAULT_DATABASE);
  demand(principal, "admin", checkDatabaseName(name));
  // Here as well: a database is made for it only when the rule is a good one.
  parseRule(body);
  const secret = secretField(body) ?? newSecret();
  const database = await databaseFor(name, env);
  const rules = rulesOf(database, env);
  const made = await unwrap(rules.create(database, JSON.stringify(body), secret));
  return json({ ...describeRule(made, database), secret }, 201);
}

/** GET /api/v1/alerts/:id */
export async function show(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "alert_unknown");
  return json(describeRule(await unwrap(rulesOf(database, arrival.env).find(id)), database));
}

/** PUT /api/v1/alerts/:id: what the body does not name stays as it is. */
export async function update(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "alert_unknown");
  const body = await readJsonObject(arrival.request, BODY_BYTES_MAX);
  if (textField(body, "database", database.name) !== database.name) {
    throw wrongParameter("database", "the one that the rule is of");
  }
  const secret = secretField(body);
  const rules = rulesOf(database, arrival.env);
  const updated = await unwrap(rules.update(database, id, JSON.stringify(body), secret));
  return json({ ...describeRule(updated, database), ...(secret === null ? {} : { secret }) });
}

/** DELETE /api/v1/alerts/:id: what fires is resolved, as an event. */
export async function remove(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "alert_unknown");
  await unwrap(rulesOf(database, arrival.env).remove(database, id));
  return json({ success: true, message: "Alert rule deleted" });
}

/** POST /api/v1/alerts/:id/run: now, and answers when it has run. */
export async function run(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "alert_unknown");
  return json(describeRule(await unwrap(rulesOf(database, arrival.env).run(id)), database));
}

/** POST /api/v1/alerts/:id/silence {"until"}: RFC 3339; null: not any more. */
export async function silence(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "alert_unknown");
  const untilMs = untilField(await readJsonObject(arrival.request, BODY_BYTES_MAX));
  const rules = rulesOf(database, arrival.env);
  return json(describeRule(await unwrap(rules.silence(database, id, untilMs)), database));
}

/** GET /api/v1/alerts/:id/history?limit=: the rule's events, the latest first. */
export async function history(arrival: AdmittedArrival): Promise<Response> {
  const { env, requestId, principal } = arrival;
  const { database, id } = await named(arrival, "admin", "alert_unknown");
  await unwrap(rulesOf(database, env).find(id));
  const limit = Math.min(limitOf(arrival, HISTORY_DEFAULT), LIMITS.alertHistoryMax);
  // Of the type `alert`, tags are in the form that lib/alerts gives them, so a text is enough.
  const sql = `SELECT id, seq, type, tags, value, epoch_us(time) FROM ${EVENTS_MEASUREMENT}
    WHERE type = 'alert' AND contains(tags, ?) ORDER BY seq DESC LIMIT ${limit}`;
  const params = [JSON.stringify(alertIdTag(globalId(database, id)))];
  const { tokenId } = principal;
  const asked = { sql, params, database: database.name, requestId, tokenId };
  try {
    const { rows } = await askRows(asked, LIMITS.eventAnswerBytesMax, env.QUERY);
    return json(rows.map(eventOf));
  } catch (error) {
    // No event was ever stored.
    if (isSluiceError(error) && error.code === "measurement_unknown") return json([]);
    throw error;
  }
}

function eventOf([id, seq, type, tags, value, timeUs]: unknown[]) {
  return {
    id,
    seq: Number(seq),
    type,
    tags: JSON.parse(tags as string) as string[],
    value: JSON.parse(value as string) as unknown,
    timestamp: eventTime(Number(timeUs)),
  };
}

function rulesOf({ databaseId }: Database, env: IngestEnv) {
  return env.ALERT_RULES.getByName(`${databaseId}`);
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function untilField(body: JsonObject): number | null {
  if (body["until"] === null) return null;
  const text = textField(body, "until");
  const ms = RFC_3339.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(ms)) return ms;
  throw wrongParameter("until", "a time like 2026-01-02T03:04:05Z, or null");
}
