// Which traces are kept when not all are: a share that every process agrees about.

/**
 * Decided by the id alone: the same for every span and event of a trace, in every process, without
 * remembering anything.
 */
export function isTraceKept(traceId: string, samplingRate: number): boolean {
  return samplingRate >= 1 || shareOf(traceId) < samplingRate;
}

/**
 * In [0, 1), evenly spread: FNV-1a over UTF-16 units, then the finalizer of MurmurHash3, since
 * FNV's high bits alone hardly change with the last characters of an id.
 */
function shareOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
