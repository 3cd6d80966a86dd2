// The API's description and its routes say the same.

import { describe, expect, test } from "vitest";
import { docsPage } from "../../../workers/ingest/docs-page.ts";
import { openApiDocument } from "../../../workers/ingest/openapi-document.ts";
import { OPERATIONS } from "../../../workers/ingest/openapi.ts";
import { ROUTE_FACTS } from "../../../workers/ingest/routes.ts";

const routes = ROUTE_FACTS.map(({ method, path }) => `${method} ${path}`);

describe("the OpenAPI document", () => {
  test("describes every route, and no other", () => {
    expect(Object.keys(OPERATIONS).toSorted()).toEqual(routes.toSorted());
  });

  test("has each path parameter, and says what a token needs", () => {
    const { paths } = openApiDocument(ROUTE_FACTS);
    expect(paths["/api/v1/auth/tokens/{id}"]!["delete"]).toMatchObject({
      parameters: [{ name: "id", in: "path", required: true }],
      security: [{ token: ["admin"] }],
      responses: { 401: {}, 403: {}, 404: {} },
    });
    expect(paths["/health"]!["get"]).not.toHaveProperty("security");
  });
});

test("the page names every route", async () => {
  const html = await docsPage(ROUTE_FACTS).text();
  for (const { method, path } of ROUTE_FACTS) expect(html).toContain(`${method} ${path}`);
});
