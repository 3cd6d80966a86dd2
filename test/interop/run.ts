// `npm run test:interop`: real clients, unmodified, against a stack of their own.
//
// Needs Python with the packages of test/interop/requirements.txt; PYTHON names the interpreter.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ADMIN_TOKEN, Stack } from "../helpers/stack.ts";

const PYTHON = process.env["PYTHON"] ?? "python3";
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const found = spawnSync(PYTHON, ["-c", "import arc_client, pandas, polars, pyarrow"]);
if (found.status !== 0) {
  console.error(`${PYTHON} lacks the clients. Install them, best into a virtual environment:`);
  console.error(`  python3 -m venv .venv && .venv/bin/pip install -r ${path("requirements.txt")}`);
  console.error("  PYTHON=.venv/bin/python npm run test:interop");
  process.exit(2);
}

const stack = new Stack();
await stack.start();
try {
  const { port } = new URL(stack.url);
  const args = [path("arc_python.py"), port, ADMIN_TOKEN];
  const { status } = spawnSync(PYTHON, args, { stdio: "inherit" });
  process.exitCode = status ?? 1;
} finally {
  await stack.remove();
}
