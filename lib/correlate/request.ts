// What is asked of a correlation: a stretch of time, or what gives one, and what narrows it.
//
// The stretch is `from` and `to`; or `around` a moment, with `window` to each side of it, or
// `before` and `after`; or around the last row that meets the conditions of an `incident`.

import { LIMITS } from "#lib/base/limits.ts";
import { parseMoment } from "#lib/events/query/date-math.ts";
import { tagsOf } from "#lib/events/query/filter.ts";
import { unknownParameter, wrongParameter } from "#lib/base/wrong-parameter.ts";
import { durationMs } from "#lib/http/durations.ts";
import type { JsonObject } from "#lib/http/json-body.ts";

export interface CorrelateRequest {
  readonly center: Center;
  readonly traceId: string | null;
  readonly tags: readonly string[];
  /** null: all of the database. */
  readonly measurements: readonly string[] | null;
  /** Of each pillar. */
  readonly rowsMax: number;
  /** Only what stands out: see rows.ts. */
  readonly isNotable: boolean;
}

/** µs, both ends inclusive; or of a row that has yet to be found. */
type Center =
  | { readonly kind: "span"; readonly fromUs: bigint; readonly toUs: bigint }
  | { readonly kind: "incident"; readonly incident: Incident };

export interface Incident {
  readonly measurement: string;
  /** Columns and what they must be equal to. */
  readonly where: readonly (readonly [string, string | number | boolean])[];
  readonly beforeUs: bigint;
  readonly afterUs: bigint;
}

const WINDOW = "15m";
/** Those of an incident, where the request has none. */
const BEFORE = "10m";
const AFTER = "30m";

const FIELDS = new Set(
  "from to around window before after incident trace_id tags measurements limit notable".split(" "),
);
const IN_URL = new Set(
  "from to around window before after trace_id limit notable p database".split(" "),
);

/**
 * Body and URL parameters as one body; `tag` and `measurement` may be repeated. What is said in
 * both is refused. Throws `parameter_invalid`.
 */
export function correlateBody(body: JsonObject, parameters: URLSearchParams): JsonObject {
  const inUrl = fromParameters(parameters);
  const twice = Object.keys(inUrl).find((field) => Object.hasOwn(body, field));
  if (twice === undefined) return { ...body, ...inUrl };
  throw wrongParameter(twice, "in the URL or in the body, not in both");
}

function fromParameters(parameters: URLSearchParams): JsonObject {
  const body: Record<string, unknown> = {};
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name);
    if (name === "tag" || name === "measurement") body[`${name}s`] = values;
    else if (!IN_URL.has(name)) throw unknownParameter(name, FIELDS);
    else if (values.length > 1) throw wrongParameter(name, "given once");
    else if (name === "limit") body[name] = Number(values[0] || Number.NaN);
    else if (name === "notable") body[name] = flagOf(values[0]!);
    else if (name !== "p" && name !== "database") body[name] = values[0]!;
  }
  return body;
}

/** Throws `parameter_invalid` naming the field. */
export function correlateRequest(body: JsonObject, nowUs: bigint): CorrelateRequest {
  const unknown = Object.keys(body).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) throw unknownParameter(unknown, FIELDS);
  const { trace_id: traceId = null, measurements = null, notable = false } = body;
  if (traceId !== null && !isText(traceId)) throw wrongParameter("trace_id", "a text");
  if (typeof notable !== "boolean") throw wrongParameter("notable", "true or false");
  return {
    center: centerOf(body, nowUs),
    traceId,
    tags: tagsOf(body["tags"] ?? []),
    measurements: measurements === null ? null : namesOf(measurements),
    rowsMax: limitOf(body["limit"] ?? LIMITS.correlateRowsDefault),
    isNotable: notable,
  };
}

function centerOf(body: JsonObject, nowUs: bigint): Center {
  const given = ["from", "around", "incident"].filter((field) => body[field] !== undefined);
  if (given.length !== 1) {
    throw wrongParameter("around", "given, or else one of from (with to) and incident");
  }
  if (given[0] === "from") return spanOf(body, nowUs);
  if (given[0] === "incident") return { kind: "incident", incident: incidentOf(body) };
  refuseBeside(body, "around", ["to"]);
  const isOneSided = body["before"] !== undefined || body["after"] !== undefined;
  if (isOneSided) refuseBeside(body, "before and after", ["window"]);
  const window = body["window"] ?? WINDOW;
  const sideUs = (side: "before" | "after") =>
    isOneSided ? durationUs(side, body[side] ?? WINDOW) : durationUs("window", window);
  const [beforeUs, afterUs] = [sideUs("before"), sideUs("after")];
  const aroundUs = parseMoment("around", body["around"], "down", nowUs);
  return spanAround(aroundUs, { beforeUs, afterUs });
}

function spanOf(body: JsonObject, nowUs: bigint): Center {
  refuseBeside(body, "from", ["window", "before", "after"]);
  const fromUs = parseMoment("from", body["from"], "down", nowUs);
  const toUs = parseMoment("to", body["to"] ?? "now", "up", nowUs);
  if (toUs >= fromUs) return { kind: "span", fromUs, toUs };
  throw wrongParameter("to", "not before from");
}

/** Within the years that a time can have. */
export function spanAround(
  us: bigint,
  { beforeUs, afterUs }: Pick<Incident, "beforeUs" | "afterUs">,
): Extract<Center, { kind: "span" }> {
  const [fromUs, toUs] = [us - beforeUs, us + afterUs];
  return {
    kind: "span",
    fromUs: fromUs < LIMITS.timeUsMin ? LIMITS.timeUsMin : fromUs,
    toUs: toUs > LIMITS.timeUsMax ? LIMITS.timeUsMax : toUs,
  };
}

function incidentOf(body: JsonObject): Incident {
  refuseBeside(body, "incident", ["to", "window"]);
  const { incident } = body;
  if (!isObject(incident)) throw wrongParameter("incident", "an object");
  const { measurement, where = {} } = incident;
  if (!isText(measurement)) throw wrongParameter("incident.measurement", "a measurement's name");
  if (!isObject(where)) throw wrongParameter("incident.where", "an object of columns and values");
  const odd = Object.entries(where).find(([, value]) => !isConstant(value));
  if (odd !== undefined) {
    throw wrongParameter(`incident.where.${odd[0]}`, "a text, number or boolean");
  }
  const unknown = Object.keys(incident).find((key) => key !== "measurement" && key !== "where");
  if (unknown !== undefined) throw wrongParameter(`incident.${unknown}`, "measurement or where");
  return {
    measurement,
    where: Object.entries(where) as [string, string | number | boolean][],
    beforeUs: durationUs("before", body["before"] ?? BEFORE),
    afterUs: durationUs("after", body["after"] ?? AFTER),
  };
}

function durationUs(field: string, value: unknown): bigint {
  if (typeof value !== "string") throw wrongParameter(field, "a duration like 30m or 2h");
  return BigInt(durationMs(field, value)) * 1_000n;
}

function limitOf(value: unknown): number {
  const max = LIMITS.correlateRowsMax;
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max) {
    return value as number;
  }
  throw wrongParameter("limit", `a whole number from 1 to ${max}`);
}

function namesOf(value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0 && value.every(isText)) return value as string[];
  throw wrongParameter("measurements", "a list of names");
}

function refuseBeside(body: JsonObject, given: string, fields: readonly string[]): void {
  const odd = fields.find((field) => body[field] !== undefined);
  if (odd !== undefined) throw wrongParameter(odd, `left out beside ${given}`);
}

function flagOf(text: string): unknown {
  return text === "true" ? true : text === "false" ? false : text;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !value.includes("\0");
}

function isConstant(value: unknown): boolean {
  if (typeof value === "string") return !value.includes("\0");
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
