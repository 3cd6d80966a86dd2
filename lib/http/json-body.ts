// JSON request bodies: parsed under a cap, and read field by field with the field's name in the
// error.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { wrongParameter } from "#lib/base/wrong-parameter.ts";
import { readBody } from "./body.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export async function readJsonObject(request: Request, bytesMax: number): Promise<JsonObject> {
  const bytes = await readBody(request, bytesMax);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (cause) {
    throw new SluiceError("json_invalid", `invalid JSON body: ${(cause as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SluiceError("json_invalid", "the JSON body must be an object");
  }
  return value as JsonObject;
}

/** The same for a request that may come without a body: it is as an empty object. */
export async function readOptionalJsonObject(
  request: Request,
  bytesMax: number,
): Promise<JsonObject> {
  try {
    return await readJsonObject(request, bytesMax);
  } catch (error) {
    if (isSluiceError(error) && error.code === "body_empty") return {};
    throw error;
  }
}

export function textField(body: JsonObject, field: string, fallback?: string): string {
  const value = body[field] ?? fallback;
  if (typeof value === "string") return value;
  throw wrongParameter(field, "a text");
}

export function textListField(body: JsonObject, field: string, fallback?: string[]): string[] {
  const value = body[field] ?? fallback;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw wrongParameter(field, "a list of texts");
}

export function flagField(body: JsonObject, field: string, fallback: boolean): boolean {
  const value = body[field] ?? fallback;
  if (typeof value === "boolean") return value;
  throw wrongParameter(field, "true or false");
}
