// Which text columns hardly repeat: looking for repeats is the dearest part of building one.

import type { ColumnTable } from "./types.ts";

/** Names of columns whose texts hardly repeat here, and so, most likely, in the next table. */
export function uniqueTexts({ columns }: ColumnTable): Set<string> {
  const unique = columns.filter((column) => column.type === "utf8" && !column.heap.isDistinct);
  return new Set(unique.map(({ name }) => name));
}
