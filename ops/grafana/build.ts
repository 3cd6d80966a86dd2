// Writes the dashboards as Grafana imports them: `npm run dashboards`. test/ops/dashboards.test.ts
// fails when a file is stale.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { overview } from "./overview.ts";
import { queries } from "./queries.ts";
import { resources } from "./resources.ts";
import { streams } from "./streams.ts";

/** By the file's name. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  "overview.json": overview,
  "queries.json": queries,
  "streams.json": streams,
  "resources.json": resources,
};

export function dashboardText(name: string): string {
  return `${JSON.stringify(DASHBOARDS[name], null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of Object.keys(DASHBOARDS)) {
    writeFileSync(new URL(`dashboards/${name}`, import.meta.url), dashboardText(name));
  }
}
