// Where a token may stand in a request, in the order in which Arc looks for it.

import { Buffer } from "node:buffer";

/** null: the request carries none. */
export function tokenOf(request: Request): string | null {
  const authorization = request.headers.get("authorization")?.trim();
  if (authorization !== undefined && authorization !== "") return withoutScheme(authorization);
  const apiKey = request.headers.get("x-api-key")?.trim();
  if (apiKey !== undefined && apiKey !== "") return apiKey;
  // InfluxDB 1 clients know no header. Deprecated: URLs end up in logs.
  const parameter = new URL(request.url).searchParams.get("p");
  return parameter === null || parameter === "" ? null : parameter;
}

function withoutScheme(authorization: string): string {
  const space = authorization.indexOf(" ");
  if (space === -1) return authorization;
  const scheme = authorization.slice(0, space).toLowerCase();
  const credentials = authorization.slice(space + 1).trim();
  if (scheme === "basic") return passwordOf(credentials);
  return scheme === "bearer" || scheme === "token" ? credentials : authorization;
}

/** Of clients that know only a user and a password: the token is the password. */
function passwordOf(basic: string): string {
  const pair = Buffer.from(basic, "base64").toString();
  return pair.slice(pair.indexOf(":") + 1);
}
