// What a process and its disk use right now, from the kernel's own files.
//
// Linux only, proc(5): elsewhere there is nothing to read, and null is told rather than a guess.

import { readFileSync, readdirSync, statfsSync } from "node:fs";

export interface ProcessStats {
  /** In all its threads, since it was started. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly threadCount: number;
  readonly openFileCount: number;
}

/** USER_HZ: what the kernel shows to programs, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** null: there is no such process any more, or this is not Linux. */
export function processStats(pid: number): ProcessStats | null {
  try {
    return {
      cpuSeconds: cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, "utf8")),
      ...memoryAndThreads(readFileSync(`/proc/${pid}/status`, "utf8")),
      openFileCount: readdirSync(`/proc/${pid}/fd`).length,
    };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** Connections that somebody has to this port of the machine; null where it cannot be known. */
export function connectionCount(pid: number, port: number): number | null {
  try {
    const tables = [`/proc/${pid}/net/tcp`, `/proc/${pid}/net/tcp6`];
    return tables.reduce(
      (sum, path) => sum + countEstablished(readFileSync(path, "utf8"), port),
      0,
    );
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

export function diskSpace(folder: string): { usedBytes: number; freeBytes: number } {
  const { bsize, blocks, bfree, bavail } = statfsSync(folder);
  return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize };
}

/** Fields 14 and 15; the name before them is in brackets and may hold blanks, and brackets. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function memoryAndThreads(status: string): { memoryBytes: number; threadCount: number } {
  const number = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return { memoryBytes: number("VmRSS") * 1_024, threadCount: number("Threads") };
}

const ESTABLISHED = "01";

/** Lines are `sl local_address rem_address st …`; an address ends with its port in hex. */
export function countEstablished(table: string, port: number): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = table.split("\n").slice(1);
  return rows.filter((row) => {
    const [, local = "", , state] = row.trim().split(/\s+/);
    return local.endsWith(wanted) && state === ESTABLISHED;
  }).length;
}

function isGone(error: unknown): boolean {
  return ["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "");
}
