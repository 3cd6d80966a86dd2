// Things of one database that have an id of their own in the API: policies, rollups, triggers.
// Such an id says which database it is of: the database's own id times a million, and the thing's.

const IDS_PER_DATABASE = 1_000_000;

export function globalIdOf(databaseId: number, id: number): number {
  return databaseId * IDS_PER_DATABASE + id;
}

/** The two that `globalIdOf` was made of. */
export function splitGlobalId(globalId: number): { databaseId: number; id: number } {
  const databaseId = Math.floor(globalId / IDS_PER_DATABASE);
  return { databaseId, id: globalId % IDS_PER_DATABASE };
}
