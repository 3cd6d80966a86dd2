// Generated documents say what the code says, and links lead somewhere.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { GENERATED } from "../scripts/docs.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

test.each(Object.keys(GENERATED))("%s is fresh (npm run docs writes it anew)", (path) => {
  expect(readFileSync(join(ROOT, path), "utf8")).toBe(GENERATED[path]!());
});

function documents(): string[] {
  const inDocs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
  return ["README.md", "ops/README.md", ...inDocs.map((path) => `docs/${path}`)].filter((path) =>
    path.endsWith(".md"),
  );
}

test.each(documents())("links of %s lead to files that exist", (path) => {
  const text = readFileSync(join(ROOT, path), "utf8");
  const targets = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
  const local = targets.filter((target) => !/^[a-z]+:/.test(target));
  const dead = local.filter((target) => !existsSync(join(ROOT, dirname(path), target)));
  expect(dead).toEqual([]);
});
