// A question about events as one JSON object, whether it came as a body or as URL parameters.
//
// `?tag=a&tag=b&type=t&gte=now-1h` says what {"tags": ["a", "b"], "type": "t", "timestamp":
// {"gte": "now-1h"}} says. What neither form knows, and what is said in both, is refused.

import { SluiceError } from "#lib/base/errors.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import { unknownParameter } from "#lib/base/wrong-parameter.ts";

const RANGE = ["lt", "lte", "gt", "gte"] as const;
const PAGING = ["order", "page", "per_page", "position", "cursor"] as const;
const AGGREGATOR = ["field", "percentiles", "interval", "group_by"] as const;

const FIELDS = new Set<string>(["tags", "type", "timestamp", "aggregator", ...PAGING]);
/** Those that say who asks and of which database; they are read elsewhere. */
const OTHERS = new Set(["p", "database"]);

/** Throws `parameter_invalid`. Numbers of parameters stay texts. */
export function eventRequest(body: JsonObject, parameters: URLSearchParams): JsonObject {
  const unknown = Object.keys(body).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) throw unknownParameter(unknown, FIELDS);
  const inUrl = fromParameters(parameters);
  const twice = Object.keys(inUrl).find((field) => Object.hasOwn(body, field));
  if (twice === undefined) return { ...body, ...inUrl };
  const message = `"${twice}" stands in the URL and in the body`;
  throw new SluiceError("parameter_invalid", message, { field: twice });
}

function fromParameters(parameters: URLSearchParams): JsonObject {
  const found = new Map<string, unknown>();
  const range: Record<string, string> = {};
  const aggregator: Record<string, unknown> = {};
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name);
    if (name === "tag") found.set("tags", values);
    else if (values.length > 1) throw repeated(name);
    else if (isOneOf(RANGE, name)) range[name] = values[0]!;
    else if (name === "aggregator") aggregator["type"] = values[0]!;
    else if (isOneOf(AGGREGATOR, name)) aggregator[name] = aggregatorValue(name, values[0]!);
    else if (name === "timestamp" || name === "type") found.set(name, values[0]!);
    else if (isOneOf(PAGING, name)) found.set(name, values[0]!);
    else if (!OTHERS.has(name)) throw unknownParameter(name, PARAMETERS);
  }
  if (Object.keys(range).length > 0) {
    if (found.has("timestamp")) throw repeated("timestamp");
    found.set("timestamp", range);
  }
  if (Object.keys(aggregator).length > 0) found.set("aggregator", aggregator);
  return Object.fromEntries(found);
}

const PARAMETERS = new Set<string>([
  "tag",
  "type",
  "timestamp",
  "aggregator",
  "database",
  ...RANGE,
  ...PAGING,
  ...AGGREGATOR,
]);

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}

function aggregatorValue(name: string, text: string): unknown {
  return name === "percentiles" ? text.split(",").map(Number) : text;
}

function repeated(field: string): SluiceError {
  return new SluiceError("parameter_invalid", `"${field}" is given more than once`, { field });
}
