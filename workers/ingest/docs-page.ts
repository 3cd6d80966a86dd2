// The API described for people (/docs), from the same words as for programs (openapi.ts).

import { OPERATIONS, type RouteFacts } from "./openapi.ts";

/** One page without scripts, so that it can be read wherever the API can be reached. */
export function docsPage(routes: readonly RouteFacts[]): Response {
  const sections = routes.map((route) => sectionOf(route)).join("\n");
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sluice API</title>
<meta name="viewport" content="width=device-width"><style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
section { border-top: 1px solid #ccc; padding: .5rem 0 }
h2 { font: 600 1rem ui-monospace, monospace } pre { background: #f4f4f4; padding: .5rem }
dt { font-family: ui-monospace, monospace } dd { margin: 0 0 .25rem 2rem }
</style></head><body><h1>Sluice API</h1>
<p>Token: <code>Authorization: Bearer …</code>. For programs: <a href="/openapi.json">openapi.json</a>.</p>
${sections}
</body></html>`;
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
}

function sectionOf({ method, path, permission }: RouteFacts): string {
  const { summary, query = {}, headers = {}, body, answers } = OPERATIONS[`${method} ${path}`]!;
  const list = (entries: Readonly<Record<string, string>>) =>
    Object.entries(entries)
      .map(([name, text]) => `<dt>${escape(name)}</dt><dd>${escape(text)}</dd>`)
      .join("");
  const example =
    body === undefined
      ? ""
      : `<pre>${escape(JSON.stringify(Object.values(body)[0], null, 2))}</pre>`;
  const needs = permission === "public" ? "no token" : `permission: ${permission}`;
  return `<section><h2>${method} ${escape(path)}</h2>
<p>${escape(summary)} (${needs})</p>${example}
<dl>${list({ ...query, ...headers })}${list(answers)}</dl></section>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
