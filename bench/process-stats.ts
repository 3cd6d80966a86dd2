// What the kernel knows of a process: CPU time and memory. From /proc, so on Linux only.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";

/** The process named `name` among the descendants of `pid`, `pid` itself included. */
export function findDescendant(pid: number, name: string): number {
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (readFileSync(`/proc/${next}/comm`, "utf8").trim() === name) return next;
    for (const thread of readdirSync(`/proc/${next}/task`)) {
      const children = readFileSync(`/proc/${next}/task/${thread}/children`, "utf8");
      waiting.push(...children.split(" ").filter(Boolean).map(Number));
    }
  }
  throw new Error(`process ${pid} has no descendant named ${name}`);
}

/** CPU seconds used so far, user and system, by all threads that live now. */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(
      readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0],
    );
  }
  return nanoseconds / 1e9;
}

export function residentBytes(pid: number): number {
  return statusBytes(pid, "VmRSS");
}

/** The most that was resident since the last `resetPeak`. */
export function peakResidentBytes(pid: number): number {
  return statusBytes(pid, "VmHWM");
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no ${field}`);
  return Number(kilobytes) * 1024;
}
