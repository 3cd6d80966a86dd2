// The package as an application gets it: imported by Node, type-checked, bundled for browsers, and
// run in a Worker.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { decode } from "@msgpack/msgpack";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../../../embedded/worker-configs.ts";
import { HTTP_SOCKET } from "../../../embedded/workerd-config.ts";
import { WorkerdProcess } from "../../../embedded/workerd-process.ts";

/** An application that has the package installed. */
const app = mkdtempSync(join(tmpdir(), "sluice-app-"));

beforeAll(() => {
  const installed = join(app, "node_modules/sluice");
  mkdirSync(installed, { recursive: true });
  execFileSync(process.execPath, [join(ROOT, "scripts/build-clients.mjs"), installed]);
  writeFileSync(join(app, "package.json"), JSON.stringify({ type: "module" }));
}, 60_000);

afterAll(() => rmSync(app, { recursive: true, force: true }));

test("plain Node imports it, with nothing else installed", () => {
  const script = 'import("sluice/client").then((m) => console.log(typeof m.SluiceClient))';
  const run = execFileSync(process.execPath, ["-e", script], { cwd: app, encoding: "utf8" });
  expect(run.trim()).toBe("function");
});

test("its declarations are whole, for an application without Node's types", () => {
  writeFileSync(
    join(app, "typed.ts"),
    `import { SluiceClient, SluiceFlushError, type Row } from "sluice/client";
     const client = new SluiceClient({ url: "u", token: "t", batchRowsMax: 5 });
     const row: Row = { time: new Date(), n: 1n, nested: { a: [1] } };
     await client.write("m", [row, { host: "a", load: undefined }]);
     const hosts: { host: string }[] = await client.query<{ host: string }>("SELECT host FROM m");
     for await (const { seq } of client.events.stream({ tags: ["a"] })) console.log(seq + 1, hosts);
     // @ts-expect-error a function is no row
     await client.write("m", () => {});
     export { SluiceFlushError };`,
  );
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022"];
  const lib = ["--lib", "es2022,dom,dom.iterable,esnext.disposable", "--types", ""];
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const args = [tsc, "--ignoreConfig", ...options, ...lib, "typed.ts"];
  expect(execFileSync(process.execPath, args, { cwd: app, encoding: "utf8" })).toBe("");
});

test("a bundle for browsers imports nothing, and hides what is Node's", async () => {
  const script =
    'export { SluiceClient, TelemetryManager, MetricConnection } from "sluice/client";';
  const { outputFiles, metafile } = await build({
    stdin: { contents: script, resolveDir: app },
    bundle: true,
    platform: "browser",
    format: "esm",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  // That one is the application's to install, and asked for by arrow() alone.
  expect(imports.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    "dynamic-import apache-arrow",
  ]);
  expect(outputFiles[0]!.text).not.toMatch(/^import .*node:/m);
});

const WORKER = `
  import { SluiceClient } from "sluice/client";
  export default {
    async fetch(request) {
      const url = new URL(request.url).searchParams.get("origin");
      const client = new SluiceClient({ url, token: "t", database: "edge" });
      await client.write("visits", [{ path: "/a", ms: 1.5 }, { path: "/b", ms: 2 }]);
      await client.close();
      const rows = [];
      for await (const row of client.rows("SELECT 1")) rows.push(row);
      return Response.json(rows);
    },
  };`;

/** Workerd's configuration: the Worker, which may reach this machine. */
const CONFIG = `
  using Workerd = import "/workerd/workerd.capnp";
  const config :Workerd.Config = (
    services = [
      (name = "main", worker = (
        modules = [(name = "worker.js", esModule = embed "worker.js")],
        compatibilityDate = "2026-11-01",
        globalOutbound = "network",
      )),
      (name = "network", network = (allow = ["local"])),
    ],
    sockets = [(name = "${HTTP_SOCKET}", http = (), service = "main")],
  );`;

test("a Worker writes, flushes and reads with it", async () => {
  const heard: { readonly url: string; readonly database: unknown; readonly body: unknown }[] = [];
  const origin = createServer(async (request, response) => {
    const { url, headers } = request;
    const bytes = await buffer(request);
    const isWrite = url === "/api/v1/write/msgpack";
    const body = isWrite ? decode(gunzipSync(bytes)) : JSON.parse(bytes.toString());
    heard.push({ url: url!, database: headers["x-arc-database"], body });
    // The first write is to be sent again.
    if (heard.length === 1) response.writeHead(503, { "retry-after": "0" }).end();
    else if (isWrite) response.writeHead(204).end();
    else response.end('{"n":1}\n{"n":2}\n');
  });
  origin.listen(0, "127.0.0.1");
  await once(origin, "listening");
  await build({
    stdin: { contents: WORKER, resolveDir: app },
    outfile: join(app, "worker.js"),
    bundle: true,
    format: "esm",
    logLevel: "silent",
  });
  const workerd = new WorkerdProcess(app, CONFIG, {});
  const port = await workerd.start(0);
  try {
    const target = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    const answer = await fetch(`http://127.0.0.1:${port}/?origin=${encodeURIComponent(target)}`);
    expect(await answer.text()).toBe('[{"n":1},{"n":2}]');
  } finally {
    await workerd.stop();
    origin.close();
  }
  expect(heard.map(({ url }) => url)).toEqual([
    "/api/v1/write/msgpack",
    "/api/v1/write/msgpack",
    "/api/v1/query",
  ]);
  expect(heard[1]).toEqual(heard[0]);
  expect(heard[1]).toMatchObject({
    database: "edge",
    body: { m: "visits", columns: { path: ["/a", "/b"], ms: [1.5, 2] }, time_unit: "us" },
  });
}, 60_000);
