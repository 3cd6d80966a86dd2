// What a process and its disk use right now, from the kernel's own files.
//
// Linux only, proc(5): elsewhere there is nothing to read, and null is told rather than a guess.

import { readFileSync, readdirSync, statfsSync } from "node:fs";

export interface ProcessStats {
  /** Unix time. */
  readonly startSeconds: number;
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
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return {
      startSeconds: startSecondsOf(stat, readFileSync("/proc/stat", "utf8")),
      cpuSeconds: cpuSecondsOf(stat),
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

/** Fields 14 and 15. */
export function cpuSecondsOf(stat: string): number {
  return (fieldOf(stat, 14) + fieldOf(stat, 15)) / TICKS_PER_SECOND;
}

/** Field 22 counts from the start of the machine, which /proc/stat tells as Unix time. */
export function startSecondsOf(stat: string, machine: string): number {
  const bootSeconds = Number(/^btime (\d+)$/m.exec(machine)?.[1]);
  return bootSeconds + fieldOf(stat, 22) / TICKS_PER_SECOND;
}

/** By proc(5)'s number; the name, number 2, is in brackets and may hold blanks, and brackets. */
function fieldOf(stat: string, number: number): number {
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[number - 3]);
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
