// Tokens, in Arc's shapes. The text of a token is in the answer that makes it and nowhere else.

import { SluiceError } from "#lib/base/errors.ts";
import { describeToken } from "#lib/directory/artifacts.ts";
import { PERMISSIONS, type Permission } from "#lib/directory/types.ts";
import { tokenOf } from "#lib/http/credentials.ts";
import { durationMs } from "#lib/http/durations.ts";
import { type JsonObject, readJsonObject, textField, textListField } from "#lib/http/json-body.ts";
import { json } from "#lib/http/respond.ts";
import { authenticate, forgetToken } from "#platform/directory.ts";
import { unwrap } from "#platform/rpc.ts";
import type { AdmittedArrival, Arrival } from "./arrival.ts";

const BODY_BYTES_MAX = 10_000;
const NAME = /^[^\p{Cc}]{1,128}$/u;
const DATABASE_PATTERN = /^[A-Za-z0-9_*-]{1,64}$/;

/** Public, because it only says what the bearer could find out by trying. */
export async function verify({ request, env }: Arrival): Promise<Response> {
  const text = tokenOf(request);
  try {
    if (text === null) throw new SluiceError("token_missing", "Authentication required");
    const principal = await authenticate(text, env.ADMIN_TOKEN, env.DIRECTORY);
    const { tokenId, name, permissions, databases } = principal;
    // Clients expect a number; the token from the environment has none of its own.
    const tokenInfo = { id: tokenId ?? 0, name, permissions, databases, enabled: true };
    return json({ valid: true, token_info: tokenInfo, permissions });
  } catch (error) {
    if (!(error instanceof SluiceError) || !error.code.startsWith("token_")) throw error;
    return json({ valid: false, error: error.message, code: error.code }, 401);
  }
}

export async function list({ env }: AdmittedArrival): Promise<Response> {
  const tokens = await unwrap(directory(env).listTokens());
  return json({ success: true, tokens: tokens.map(describeToken), count: tokens.length });
}

export async function show({ env, params }: AdmittedArrival): Promise<Response> {
  const tokenId = tokenIdOf(params);
  const tokens = await unwrap(directory(env).listTokens());
  const token = tokens.find((candidate) => candidate.tokenId === tokenId);
  if (token === undefined) throw new SluiceError("token_id_unknown", `Token ${tokenId} not found`);
  return json({ success: true, token: describeToken(token) });
}

export async function create({ request, env }: AdmittedArrival): Promise<Response> {
  const body = await readJsonObject(request, BODY_BYTES_MAX);
  const { token, text } = await unwrap(
    directory(env).createToken({
      name: nameOf(body),
      description: textField(body, "description", ""),
      permissions: permissionsOf(body),
      databases: databasesOf(body),
      expiresMs: expiryOf(body),
    }),
  );
  const message = "Token created. Keep it: it is not shown again.";
  return json({ success: true, token: text, token_info: describeToken(token), message }, 201);
}

/** Only what the body names is changed. */
export async function update({ request, env, params }: AdmittedArrival): Promise<Response> {
  const tokenId = tokenIdOf(params);
  const body = await readJsonObject(request, BODY_BYTES_MAX);
  const has = (field: string) => body[field] !== undefined && body[field] !== null;
  const { token } = await unwrap(
    directory(env).updateToken(tokenId, {
      ...(has("name") ? { name: nameOf(body) } : {}),
      ...(has("description") ? { description: textField(body, "description") } : {}),
      ...(has("permissions") ? { permissions: permissionsOf(body) } : {}),
      ...(has("databases") ? { databases: databasesOf(body) } : {}),
      ...(has("expires_in") ? { expiresMs: expiryOf(body) } : {}),
    }),
  );
  forgetToken(tokenId);
  return json({ success: true, token_info: describeToken(token), message: "Token updated" });
}

export async function rotate({ env, params }: AdmittedArrival): Promise<Response> {
  const tokenId = tokenIdOf(params);
  const { text } = await unwrap(directory(env).rotateToken(tokenId));
  forgetToken(tokenId);
  const message = "Token rotated. The old one stops working.";
  return json({ success: true, new_token: text, message });
}

export async function revoke({ env, params }: AdmittedArrival): Promise<Response> {
  const tokenId = tokenIdOf(params);
  await unwrap(directory(env).revokeToken(tokenId));
  forgetToken(tokenId);
  return json({ success: true, message: "Token revoked" });
}

export async function remove({ env, params }: AdmittedArrival): Promise<Response> {
  const tokenId = tokenIdOf(params);
  await unwrap(directory(env).deleteToken(tokenId));
  forgetToken(tokenId);
  return json({ success: true, message: "Token deleted" });
}

function directory(env: IngestEnv) {
  return env.DIRECTORY.getByName("directory");
}

function tokenIdOf(params: Readonly<Record<string, string>>): number {
  const text = params["id"]!;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new SluiceError("parameter_invalid", `"${text}" is not a token id`, { field: "id" });
}

function nameOf(body: JsonObject): string {
  const name = textField(body, "name");
  if (NAME.test(name)) return name;
  throw new SluiceError("parameter_invalid", '"name" must have 1 to 128 characters', {
    field: "name",
  });
}

function permissionsOf(body: JsonObject): Permission[] {
  const isPermission = (text: string): text is Permission =>
    PERMISSIONS.some((one) => one === text);
  const given = textListField(body, "permissions", ["read", "write"]);
  const known = given.filter(isPermission);
  if (known.length === given.length && known.length > 0) return known;
  const message = `"permissions" must be a list of ${PERMISSIONS.join(", ")}`;
  throw new SluiceError("parameter_invalid", message, { field: "permissions" });
}

function databasesOf(body: JsonObject): string[] {
  const patterns = textListField(body, "databases", ["*"]);
  if (patterns.length > 0 && patterns.every((pattern) => DATABASE_PATTERN.test(pattern))) {
    return patterns;
  }
  const message =
    '"databases" must be a list of database names, in which * stands for any characters';
  throw new SluiceError("parameter_invalid", message, { field: "databases" });
}

function expiryOf(body: JsonObject): number | null {
  const given = body["expires_in"];
  if (given === undefined || given === null || given === "") return null;
  return Date.now() + durationMs("expires_in", textField(body, "expires_in"));
}
