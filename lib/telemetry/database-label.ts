// Objects know their database by its number, users by its name. Objects count under `#<number>`,
// and whoever shows the counts puts the name there.

import type { FamilyValues } from "./hub.ts";
import type { SeriesValue } from "./series.ts";

export function databaseLabel(databaseId: number): string {
  return `#${databaseId}`;
}

/** A database that is no more keeps its number. */
export function withDatabaseNames(
  families: readonly FamilyValues[],
  names: ReadonlyMap<number, string>,
): FamilyValues[] {
  return families.map(({ metric, series }) => {
    const at = metric.labels.indexOf("database");
    if (at === -1) return { metric, series };
    const named = ({ labels, value }: SeriesValue) => {
      const label = labels[at]!;
      const name = label.startsWith("#") ? names.get(Number(label.slice(1))) : undefined;
      return name === undefined ? { labels, value } : { labels: labels.with(at, name), value };
    };
    return { metric, series: series.map(named) };
  });
}
