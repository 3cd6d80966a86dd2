// A rule's JSON to its fields, each checked and named in the refusal.
//
// A change is the rule's JSON as it is shown with what the change names laid over it, parsed anew:
// so there is one way in. A metric may be asked for as the observability documents have it, with
// EMIT METRICS at the end of the SQL.

import { LIMITS } from "#lib/base/limits.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { goDurationMs } from "#lib/http/durations.ts";
import { flagField, type JsonObject, textField } from "#lib/http/json-body.ts";
import { checkWebhookUrl } from "#lib/webhooks/url.ts";
import { CUSTOM_PREFIX } from "./custom-metrics.ts";
import { type AnomalyTest, DIRECTIONS, MISSING_POLICIES, OPERATORS } from "./types.ts";
import type { RuleFields, RuleTest } from "./types.ts";

const NAME = /^[^\p{Cc}]{1,128}$/u;
/** Tags of the states, which a rule's own tag must not look like. */
const RESERVED = new Set(["ok", "pending", "firing", "resolved", "error", "undelivered"]);
const SEVERITY = /^[A-Za-z0-9_-]{1,32}$/;
const LABEL = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const METRIC = /^sluice_custom_[a-z][a-z0-9_]{0,63}$/;
const EMIT_METRICS = /\s+EMIT\s+METRICS\s*;?\s*$/i;

const DAY_MS = 86_400_000;
const SHORTEST_BUCKET_MS = 1_000;

/** Throws `parameter_invalid`. */
export function parseRule(body: JsonObject): RuleFields {
  const { sql, isMetric } = sqlField(body);
  const everyMs = duration(body, "every", "1m");
  if (everyMs < LIMITS.alertEveryMsMin || everyMs > DAY_MS) {
    throw wrongParameter("every", `from ${LIMITS.alertEveryMsMin / 1_000}s to 1d`);
  }
  return {
    name: nameField(body),
    test: testField(body, isMetric),
    sql,
    everyMs,
    forMs: duration(body, "for", "0"),
    missing: oneOf(body, "missing", MISSING_POLICIES, "ok"),
    severity: matching(body, "severity", SEVERITY, "warning", "of up to 32 letters, digits, _, -"),
    url: urlField(body),
    repeatMs: duration(body, "repeat", "4h"),
    isEnabled: flagField(body, "enabled", true),
    labels: textsField(body, "labels"),
    annotations: textsField(body, "annotations"),
  };
}

function testField(body: JsonObject, isMetric: boolean): RuleTest {
  const kind = oneOf(body, "kind", ["condition", "anomaly", "metric"], isMetric ? "metric" : null);
  if (isMetric && kind !== "metric")
    throw wrongParameter("kind", '"metric" for SQL with EMIT METRICS');
  switch (kind) {
    case "condition": {
      const condition = objectField(body, "condition");
      const operator = oneOf(condition, "operator", OPERATORS, null);
      return { kind, operator, threshold: numberField(condition, "threshold", null) };
    }
    case "anomaly":
      return anomalyOf(objectField(body, "anomaly"));
    case "metric": {
      const expected = `${CUSTOM_PREFIX} and a name of a-z, 0-9, _`;
      const isNamed = body["metric"] !== undefined && body["metric"] !== null;
      return { kind, metric: isNamed ? matching(body, "metric", METRIC, null, expected) : null };
    }
  }
}

function anomalyOf(anomaly: JsonObject): AnomalyTest {
  const bucketMs = duration(anomaly, "bucket", "1h");
  const seasonMs = duration(anomaly, "season", "7d");
  const slots = seasonMs / bucketMs;
  const isGood = bucketMs >= SHORTEST_BUCKET_MS && Number.isInteger(slots);
  if (!isGood || slots > LIMITS.alertSlotsMax) {
    throw wrongParameter(
      "bucket",
      `a part of "season", which has up to ${LIMITS.alertSlotsMax} of them`,
    );
  }
  const sensitivity = numberField(anomaly, "sensitivity", 5);
  if (sensitivity <= 0) throw wrongParameter("sensitivity", "above zero");
  const deviationMin = numberField(anomaly, "min_deviation", 0);
  if (deviationMin < 0) throw wrongParameter("min_deviation", "zero or above");
  const historyMin = numberField(anomaly, "min_history", 4);
  // From two on there is a spread at all.
  if (!Number.isInteger(historyMin) || historyMin < 2 || historyMin > 1_000) {
    throw wrongParameter("min_history", "a whole number from 2 to 1000");
  }
  const direction = oneOf(anomaly, "direction", DIRECTIONS, "both");
  const strictness = { sensitivity, deviationMin, historyMin, direction };
  return { kind: "anomaly", bucketMs, seasonMs, ...strictness };
}

/** EMIT METRICS is taken off. That it is a SELECT the first run finds out. */
function sqlField(body: JsonObject): { sql: string; isMetric: boolean } {
  const text = textField(body, "sql").trim();
  const isMetric = EMIT_METRICS.test(text);
  const sql = text.replace(EMIT_METRICS, "").replace(/;\s*$/, "");
  const isGood = sql !== "" && Buffer.byteLength(sql) <= LIMITS.alertSqlBytesMax;
  if (isGood) return { sql, isMetric };
  throw wrongParameter("sql", `a SELECT of up to ${LIMITS.alertSqlBytesMax} bytes`);
}

function nameField(body: JsonObject): string {
  const name = textField(body, "name").trim();
  if (NAME.test(name) && !RESERVED.has(name)) return name;
  throw wrongParameter("name", "a text of 1 to 128 characters, and not the name of a state");
}

/** null: nobody is told. */
function urlField(body: JsonObject): string | null {
  if (body["url"] === undefined || body["url"] === null) return null;
  return checkWebhookUrl(textField(body, "url"));
}

function textsField(body: JsonObject, field: string): Readonly<Record<string, string>> {
  const texts = body[field] ?? {};
  const expected = `an object of up to ${LIMITS.alertLabelsMax} texts under plain names`;
  if (typeof texts !== "object" || Array.isArray(texts)) throw wrongParameter(field, expected);
  const entries = Object.entries(texts as JsonObject);
  const isText = ([name, value]: [string, unknown]) =>
    LABEL.test(name) && typeof value === "string" && value.length <= LIMITS.alertLabelCharsMax;
  if (entries.length > LIMITS.alertLabelsMax || !entries.every(isText))
    throw wrongParameter(field, expected);
  return texts as Record<string, string>;
}

function objectField(body: JsonObject, field: string): JsonObject {
  const value = body[field];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw wrongParameter(field, "an object");
}

/** "0" and 0 are none. */
function duration(body: JsonObject, field: string, fallback: string): number {
  const value = body[field] ?? fallback;
  if (value === 0 || value === "0" || value === "0s") return 0;
  return goDurationMs(field, textField(body, field, fallback), LIMITS.alertDurationMsMax);
}

/** `fallback` null: it must be there. */
function numberField(body: JsonObject, field: string, fallback: number | null): number {
  const value = body[field] ?? fallback;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw wrongParameter(field, "a number");
}

function oneOf<T extends string>(
  body: JsonObject,
  field: string,
  known: readonly T[],
  fallback: T | null,
): T {
  const value = body[field] ?? fallback;
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  throw wrongParameter(field, `one of ${known.join(" ")}`);
}

function matching(
  body: JsonObject,
  field: string,
  pattern: RegExp,
  fallback: string | null,
  expected: string,
): string {
  const value = body[field] ?? fallback;
  if (typeof value === "string" && pattern.test(value)) return value;
  throw wrongParameter(field, expected);
}
