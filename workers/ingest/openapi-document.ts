// The API described for programs: /openapi.json, OpenAPI 3.1
// (https://spec.openapis.org/oas/v3.1.0).

import { json } from "#lib/http/respond.ts";
import { OPERATIONS, type RouteFacts } from "./openapi.ts";

export function openApiAnswer(routes: readonly RouteFacts[]): Response {
  return json(openApiDocument(routes));
}

export function openApiDocument(routes: readonly RouteFacts[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [keyOf(route)]: operationOf(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version: "1",
      description: "Telemetry in over HTTP, durable before the answer, SQL right after.",
    },
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: { Error: ERROR_SCHEMA },
    },
  };
}

/** QUERY is in no path item of this version of OpenAPI; what begins with `x-` may be. */
function keyOf({ method }: RouteFacts): string {
  return method === "QUERY" ? "x-query" : method.toLowerCase();
}

const ERROR_SCHEMA = {
  type: "object",
  required: ["success", "error", "code", "detail", "request_id"],
  properties: {
    success: { const: false },
    error: { type: "string", description: "for people" },
    code: { type: "string", description: "for programs; see docs/errors.md" },
    detail: { type: "object" },
    request_id: { type: "string" },
  },
};

function operationOf({ method, path, permission }: RouteFacts) {
  const { summary, query = {}, headers = {}, body, answers } = OPERATIONS[`${method} ${path}`]!;
  const inPath = [...path.matchAll(/:(\w+)/g)].map(
    ([, name]) => [name!, "as in the path"] as const,
  );
  const parameters = [
    ...inPath.map((entry) => parameter("path", entry)),
    ...Object.entries(query).map((entry) => parameter("query", entry)),
    ...Object.entries(headers).map((entry) => parameter("header", entry)),
  ];
  const denied = permission === "public" ? {} : { 401: "no valid token", 403: "not allowed" };
  const content = Object.entries(body ?? {}).map(([type, example]) => [type, { example }]);
  return {
    summary,
    parameters,
    ...(permission === "public" ? {} : { security: [{ token: [permission] }] }),
    ...(body === undefined ? {} : { requestBody: { content: Object.fromEntries(content) } }),
    responses: Object.fromEntries(
      Object.entries({ ...denied, ...answers }).map(([status, description]) => [
        status,
        Number(status) < 400 ? { description } : { description, ...ERROR_CONTENT },
      ]),
    ),
  };
}

const ERROR_CONTENT = {
  content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
};

function parameter(where: string, [name, description]: readonly [string, string]) {
  const schema = { type: "string" };
  return { name, in: where, required: where === "path", description, schema };
}
