// Triggers: others act on a database's events (lib/triggers/triggers.ts).
//
// The secret that requests are signed with is in the answer that makes or changes it, and nowhere
// else.

import { LIMITS } from "#lib/base/limits.ts";
import { checkDatabaseName, DEFAULT_DATABASE } from "#lib/directory/names.ts";
import { demand } from "#lib/directory/permissions.ts";
import type { Database } from "#lib/directory/types.ts";
import { unknownParameter } from "#lib/base/wrong-parameter.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { EVENT_TYPE } from "#lib/events/types.ts";
import { flagField, type JsonObject, readJsonObject } from "#lib/http/json-body.ts";
import { textField, textListField } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { describeTrigger } from "#lib/triggers/artifacts.ts";
import type { Trigger, TriggerFields } from "#lib/triggers/types.ts";
import { checkWebhookUrl } from "#lib/webhooks/url.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival } from "./arrival.ts";
import { databasesAsked, named } from "./catalogs.ts";
import { newSecret, secretField } from "./webhook-secret.ts";
import { databaseFor } from "./write-batches.ts";

const BODY_BYTES_MAX = 30_000;
const NAME = /^[^\p{Cc}]{1,128}$/u;
const FIELDS = ["name", "database", "tags", "type", "url", "enabled", "secret"];
/** In every answer, and so in what a client changes and sends back. */
const SHOWN_FIELDS = new Set(["id", "created_at", "updated_at", "state"]);

/** GET /api/v1/triggers?database= */
export async function list(arrival: AdmittedArrival): Promise<Response> {
  const databases = await databasesAsked(arrival, "admin");
  const lists = await Promise.all(
    databases.map(async (database) => {
      const { triggers, position } = await unwrap(streamOf(database, arrival.env).listTriggers());
      return triggers.map((trigger) => describeTrigger(trigger, database, position));
    }),
  );
  return json(lists.flat());
}

/** POST /api/v1/triggers: of the database in the body, or else in `x-arc-database`. */
export async function create(arrival: AdmittedArrival): Promise<Response> {
  const { request, env, principal } = arrival;
  const body = await bodyOf(request);
  const name = textField(body, "database", arrival.database ?? DEFAULT_DATABASE);
  demand(principal, "admin", checkDatabaseName(name));
  const fields = {
    name: nameField(body),
    tags: tagsField(body),
    type: typeField(body),
    url: checkWebhookUrl(textField(body, "url")),
    isEnabled: flagField(body, "enabled", true),
  };
  const secret = secretField(body) ?? newSecret();
  const database = await databaseFor(name, env);
  const made = await unwrap(streamOf(database, env).createTrigger(database, fields, secret));
  return json({ ...describe(made, database), secret }, 201);
}

/** GET /api/v1/triggers/:id */
export async function show(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "trigger_unknown");
  return json(describe(await unwrap(streamOf(database, arrival.env).findTrigger(id)), database));
}

/** PUT /api/v1/triggers/:id: what the body does not name stays as it is. */
export async function update(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "trigger_unknown");
  const body = await bodyOf(arrival.request);
  if (textField(body, "database", database.name) !== database.name) {
    throw wrongParameter("database", "the one that the trigger is of");
  }
  const change = changeOf(body);
  const secret = secretField(body);
  const stream = streamOf(database, arrival.env);
  const updated = await unwrap(stream.updateTrigger(database, id, change, secret));
  return json({ ...describe(updated, database), ...(secret === null ? {} : { secret }) });
}

/** DELETE /api/v1/triggers/:id: what it has not delivered is not delivered any more. */
export async function remove(arrival: AdmittedArrival): Promise<Response> {
  const { database, id } = await named(arrival, "admin", "trigger_unknown");
  await unwrap(streamOf(database, arrival.env).removeTrigger(database, id));
  return json({ success: true, message: "Trigger deleted" });
}

function streamOf({ databaseId }: Database, env: IngestEnv) {
  return env.EVENT_STREAM.getByName(`${databaseId}`);
}

function describe(
  { trigger, position }: { trigger: Trigger; position: number },
  database: Database,
) {
  return describeTrigger(trigger, database, position);
}

/** Without `tags` a trigger is of all events: those of a misspelt field must not be. */
async function bodyOf(request: Request): Promise<JsonObject> {
  const body = await readJsonObject(request, BODY_BYTES_MAX);
  const isKnown = (field: string) => FIELDS.includes(field) || SHOWN_FIELDS.has(field);
  const unknown = Object.keys(body).find((field) => !isKnown(field));
  if (unknown === undefined) return body;
  throw unknownParameter(unknown, FIELDS);
}

function changeOf(body: JsonObject): Partial<TriggerFields> {
  const has = (field: string) => body[field] !== undefined;
  return {
    ...(has("name") ? { name: nameField(body) } : {}),
    ...(has("tags") ? { tags: tagsField(body) } : {}),
    ...(has("type") ? { type: typeField(body) } : {}),
    ...(has("url") ? { url: checkWebhookUrl(textField(body, "url")) } : {}),
    ...(has("enabled") ? { isEnabled: flagField(body, "enabled", true) } : {}),
  };
}

function nameField(body: JsonObject): string {
  const name = textField(body, "name").trim();
  if (NAME.test(name)) return name;
  throw wrongParameter("name", "a text of 1 to 128 characters");
}

/** None: whatever the tags. */
function tagsField(body: JsonObject): string[] {
  const tags = textListField(body, "tags", []);
  const bytesMax = LIMITS.eventTagBytesMax;
  const isGood = tags.every((tag) => tag !== "" && Buffer.byteLength(tag) <= bytesMax);
  if (isGood && tags.length <= LIMITS.triggerTagsMax) return [...new Set(tags)];
  const list = `a list of up to ${LIMITS.triggerTagsMax} texts`;
  throw wrongParameter("tags", `${list} of 1 to ${bytesMax} bytes`);
}

/** null, or empty: of any type. */
function typeField(body: JsonObject): string | null {
  const type = textField(body, "type", "");
  if (type === "") return null;
  if (EVENT_TYPE.test(type)) return type;
  throw wrongParameter("type", "of up to 64 letters, digits, _ and -");
}
