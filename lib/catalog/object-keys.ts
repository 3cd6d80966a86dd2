// Names of objects in the lake: made of ids and a content hash, never of a user's text.
//
// The same rows give the same bytes and so the same key: two writers of one segment meet in one
// object. `attempt` is 0 unless the key was tombstoned meanwhile and must not come back.

export interface DataFileName {
  readonly databaseId: number;
  readonly tableId: number;
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly segmentId: string;
  readonly sha256: string;
  readonly attempt: number;
}

export function dataFileKey(name: DataFileName): string {
  const { databaseId, tableId, day, segmentId, sha256, attempt } = name;
  const suffix = attempt === 0 ? "" : `-${attempt}`;
  const file = `${segmentId}-${sha256.slice(0, 16)}${suffix}.parquet`;
  return `${databasePrefix(databaseId)}t${tableId}/${day}/${file}`;
}

/** What a job writes: named by its start, so that no two starts ever write one object. */
export interface JobFileName {
  readonly databaseId: number;
  readonly tableId: number;
  readonly day: string;
  readonly jobId: number;
  readonly attempt: number;
  readonly fileNumber: number;
}

export function jobFileKey(name: JobFileName): string {
  const { databaseId, tableId, day, jobId, attempt, fileNumber } = name;
  const file = `j${jobId}.${attempt}.${fileNumber}.parquet`;
  return `${databasePrefix(databaseId)}t${tableId}/${day}/${file}`;
}

/** Whose object it is. */
export function databaseIdOf(key: string): number {
  return Number(/^db\/(\d+)\//.exec(key)![1]);
}

export function databasePrefix(databaseId: number): string {
  return `db/${databaseId}/`;
}
