// Where a test of recording plays: a fresh database of one of the two back-ends.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TelemetryConfig } from "../../../clients/recording/index.ts";
import type { RecordingOptions } from "../../../clients/recording/index.ts";

export interface Stage {
  readonly name: string;
  /** A configuration of a database that nobody has used. */
  fresh(options?: RecordingOptions): TelemetryConfig;
}

/** `remove` takes the folder with all its databases away. */
export function sqliteStage(): Stage & { remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "sluice-recording-"));
  let count = 0;
  return {
    name: "embedded",
    fresh: (options = {}) =>
      TelemetryConfig.createSqlite({ dbPath: join(folder, `t${count++}.db`), ...options }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** `url` is asked late: the server starts in a hook, after the tests were collected. */
export function sluiceStage(url: () => string, token: string): Stage {
  let count = 0;
  return {
    name: "Sluice",
    fresh: (options = {}) =>
      TelemetryConfig.createSluice({
        url: url(),
        token,
        database: `recording${count++}`,
        ...options,
      }),
  };
}
