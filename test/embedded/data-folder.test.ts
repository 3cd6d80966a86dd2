import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimDataFolder, keptAdminToken } from "../../embedded/data-folder.ts";

const MODULE = fileURLToPath(new URL("../../embedded/data-folder.ts", import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-data-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/**
 * What a second process is told that claims the folder and is then killed, without any clean-up.
 */
function claimInAnotherProcess(): string {
  const program = `
    import { claimDataFolder } from ${JSON.stringify(MODULE)};
    try { claimDataFolder(${JSON.stringify(folder)}); console.log("claimed"); }
    catch (error) { console.log(error.message); }
    process.kill(process.pid, "SIGKILL");
  `;
  const args = ["--input-type=module", "--eval", program];
  return spawnSync(process.execPath, args, { encoding: "utf8" }).stdout.trim();
}

test("a second server is refused while the first one lives", () => {
  const lock = claimDataFolder(folder);
  expect(claimInAnotherProcess()).toBe(`another server is running on ${folder}`);
  lock.close();
  expect(claimInAnotherProcess()).toBe("claimed");
});

test("a killed server leaves no claim behind", () => {
  expect(claimInAnotherProcess()).toBe("claimed");
  expect(claimInAnotherProcess()).toBe("claimed");
});

test("an admin token is made once, and only its owner may read it", () => {
  const { token, path } = keptAdminToken(folder);
  expect(token.length).toBeGreaterThan(40);
  expect(keptAdminToken(folder).token).toBe(token);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
