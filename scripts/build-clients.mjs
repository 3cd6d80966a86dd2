// Builds the package for applications, which is a folder of its own, ready for `npm install` and
// `npm publish`: `sluice/client` as one module without dependencies, for Node, Workers and browsers
// alike, with its declarations; `sluice/metrics-server` for Node; and the command line.
//
//   npm run build:clients [folder]     into that folder, or dist/

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = process.argv[2] ?? join(ROOT, "dist");
const ENTRY = join(ROOT, "clients/index.ts");
const SERVER = join(ROOT, "clients/event-metrics/metrics-server.ts");

/**
 * An application's bundler would follow `import("node:fs")`, and fail in a browser's build over a
 * branch that is not taken there. An import by a variable it leaves alone.
 */
const IMPORT_BUILTIN =
  "const importBuiltin = (name) => import(/* @vite-ignore */ /* webpackIgnore: true */ name);";

rmSync(DIST, { recursive: true, force: true });
await bundle();
await bundleForNode("clients/cli/main.ts", "cli.mjs", "#!/usr/bin/env node");
await bundleForNode("clients/event-metrics/metrics-server.ts", "metrics-server.js", "");
declare();
describe();

async function bundle() {
  await build({
    entryPoints: [ENTRY],
    outfile: join(DIST, "client.js"),
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external: ["apache-arrow", "node:*"],
    banner: { js: IMPORT_BUILTIN },
    plugins: [{ name: "builtins", setup: hideBuiltins }],
    sourcemap: true,
    logLevel: "warning",
  });
}

/** For any Node from 20 on. */
async function bundleForNode(entry, file, banner) {
  await build({
    entryPoints: [join(ROOT, entry)],
    outfile: join(DIST, file),
    banner: { js: banner },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["apache-arrow"],
    logLevel: "warning",
  });
}

function hideBuiltins({ onLoad }) {
  onLoad({ filter: /\/clients\/.*\.ts$/ }, ({ path }) => ({
    contents: readFileSync(path, "utf8").replaceAll(
      /\bawait import\((?="node:)/g,
      "await importBuiltin(",
    ),
    loader: "ts",
  }));
}

/** Declarations of each module. `npm run check` has checked their types. */
function declare() {
  const folder = mkdtempSync(join(ROOT, "node_modules/.declare-"));
  const config = join(folder, "tsconfig.json");
  const compilerOptions = {
    rootDir: join(ROOT, "clients"),
    outDir: join(DIST, "types"),
    noEmit: false,
    noCheck: true,
    declaration: true,
    emitDeclarationOnly: true,
  };
  const base = join(ROOT, "tsconfig.node.json");
  const settings = { extends: base, compilerOptions, files: [ENTRY, SERVER], include: [] };
  writeFileSync(config, JSON.stringify(settings));
  try {
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", config], { stdio: "inherit" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function describe() {
  const { name, version, license, description, peerDependencies, peerDependenciesMeta } =
    JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const manifest = {
    name,
    version,
    description,
    license,
    type: "module",
    engines: { node: ">=20" },
    exports: {
      "./client": { types: "./types/index.d.ts", default: "./client.js" },
      "./metrics-server": {
        types: "./types/event-metrics/metrics-server.d.ts",
        default: "./metrics-server.js",
      },
    },
    bin: { sluice: "./cli.mjs" },
    peerDependencies,
    peerDependenciesMeta,
  };
  writeFileSync(join(DIST, "package.json"), JSON.stringify(manifest, null, 2));
}
