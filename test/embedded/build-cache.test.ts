// Builders and servers of one checkout at the same time, and sources that change under them. The
// build is a stand-in: it notes that it ran and writes what a build would.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { builtWorkers, removeOldBuilds } from "../../embedded/build-cache.ts";
import { ROOT } from "../../embedded/worker-configs.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-builds-"));
  for (const folder of ["scripts", "lib", "workers", ".build/modules"]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, "lib/a.ts"), "1");
});
afterEach(() => rmSync(root, { recursive: true }));

/** `meanwhile`: what happens after the build has begun; it has `root` and `n`, its number. */
function standIn(meanwhile: string): void {
  const cache = join(ROOT, "embedded/build-cache.ts");
  writeFileSync(
    join(root, "scripts/build.ts"),
    `import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
    import { buildPath } from ${JSON.stringify(cache)};
    const root = ${JSON.stringify(root)};
    appendFileSync(root + "/builds", "x");
    const n = readFileSync(root + "/builds", "utf8").length;
    ${meanwhile}`,
  );
}

const builds = () => readFileSync(join(root, "builds"), "utf8").length;
const load = () => builtWorkers(() => {}, root);

describe("the built Workers", () => {
  test("are built once, and then read", () => {
    standIn("writeFileSync(buildPath(root), JSON.stringify([n]));");
    expect([load(), load(), builds()]).toEqual([[1], [1], 1]);
  });

  test("are those of the sources as they are, when these change during the build", () => {
    standIn(`
      if (n === 1) writeFileSync(root + "/lib/a.ts", "2");
      writeFileSync(buildPath(root), JSON.stringify([n]));`);
    expect([load(), builds()]).toEqual([[1], 1]);
    standIn(`
      writeFileSync(buildPath(root), JSON.stringify([n]));
      if (n === 2) writeFileSync(root + "/lib/a.ts", "4");`);
    writeFileSync(join(root, "lib/a.ts"), "3");
    expect([load(), builds()]).toEqual([[3], 3]);
  });

  test("are built again when the build is gone before it is read", () => {
    standIn(`
      writeFileSync(buildPath(root), JSON.stringify([n]));
      if (n === 1) rmSync(buildPath(root));`);
    expect([load(), builds()]).toEqual([[2], 2]);
  });

  test("do not depend on what wrangler leaves beside the sources", () => {
    standIn(`
      mkdirSync(root + "/workers/.wrangler/tmp", { recursive: true });
      writeFileSync(root + "/workers/.wrangler/tmp/index.js", "build " + n);
      writeFileSync(buildPath(root), JSON.stringify([n]));
      writeFileSync(root + "/workers/.wrangler/tmp/index.js", "");`);
    expect([load(), builds()]).toEqual([[1], 1]);
  });

  test("are given up when the sources never rest", () => {
    standIn(`writeFileSync(root + "/lib/a.ts", "change " + n);`);
    expect(load).toThrow("changed 5 times");
  });
});

test("old builds are removed, and what another builder removes first is none of our business", () => {
  const folder = join(root, ".build");
  const [old, fresh] = [join(folder, "modules/old"), join(folder, "modules/fresh")];
  for (const path of [old, fresh]) writeFileSync(path, "");
  utimesSync(old, 0, 0);
  // As a name in the folder whose file is no longer there.
  const gone = join(folder, "gone.json");
  symlinkSync(join(root, "nowhere"), gone);
  removeOldBuilds(folder);
  expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
});
