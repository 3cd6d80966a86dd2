// Which events a listener of the stream wants: the tags and the type of a question, no more, in a
// body or in the URL; tags may be in both. A listener asks for what is to come, so that a time is
// refused like any other field that is not known here.

import type { EventFilter } from "#lib/events/filter.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import { tagsOf, typeOf } from "./filter.ts";
import { unknownParameter } from "#lib/base/wrong-parameter.ts";

const FIELDS = ["tags", "type"];
const PARAMETERS = ["tag", "type", "from", "last_event_id", "database"];

/** Throws `parameter_invalid`. */
export function listenerFilter(body: JsonObject, parameters: URLSearchParams): EventFilter {
  const unknown = Object.keys(body).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) throw unknownParameter(unknown, FIELDS);
  // `p` is a token, which is read elsewhere.
  const odd = [...parameters.keys()].find((name) => name !== "p" && !PARAMETERS.includes(name));
  if (odd !== undefined) throw unknownParameter(odd, PARAMETERS);
  const type = body["type"] || parameters.get("type") || null;
  return {
    tags: tagsOf([...tagsOf(body["tags"] ?? []), ...parameters.getAll("tag")]),
    type: type === null ? null : typeOf(type),
  };
}
