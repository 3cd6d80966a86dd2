import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

import { dataFileKey } from "../../../lib/catalog/object-keys.ts";
import { findTableFolders } from "../../../scripts/demo/parquet-files.ts";

test("counts the files of each table where the lake's keys put them", () => {
  const lake = mkdtempSync(join(tmpdir(), "sluice-lake-"));
  const put = (tableId: number, day: string, segmentId: string, content: string) => {
    const key = dataFileKey({
      databaseId: 1,
      tableId,
      day,
      segmentId,
      sha256: "0".repeat(64),
      attempt: 0,
    });
    mkdirSync(dirname(join(lake, key)), { recursive: true });
    writeFileSync(join(lake, key), content);
  };
  put(1, "2026-11-20", "a", "12");
  put(1, "2026-11-21", "a", "345");
  put(1, "2026-11-21", "b", "6");
  put(2, "2026-11-21", "a", "7");

  const tables = findTableFolders(lake).toSorted((a, b) => b.files - a.files);
  rmSync(lake, { recursive: true });
  expect(tables).toEqual([
    { folder: join(lake, "db/1/t1"), files: 3, byteLength: 6 },
    { folder: join(lake, "db/1/t2"), files: 1, byteLength: 1 },
  ]);
});
