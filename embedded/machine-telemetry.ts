// What the local server's processes and its disk say of themselves, every few seconds, to the same
// hub as the isolates and in the same form: as a source of its own.

import { randomUUID } from "node:crypto";
import { Meter } from "#lib/telemetry/meter.ts";
import * as metrics from "#lib/telemetry/metrics/runtime.ts";
import { tellOfMachine } from "./host-line.ts";
import { connectionCount, diskSpace, processStats } from "./process-stats.ts";

const EVERY_MS = 5_000;

interface Machine {
  /** Changes when workerd is started again; undefined while there is none. */
  workerdPid(): number | undefined;
  readonly port: number;
  readonly folder: string;
}

/** Until the process ends. */
export function watchMachine(machine: Machine): void {
  const watch = new MachineWatch(machine);
  void watch.tell();
  setInterval(() => void watch.tell(), EVERY_MS).unref();
}

class MachineWatch {
  readonly #machine: Machine;
  readonly #meter = new Meter();
  readonly #source = randomUUID();
  /** CPU seconds told so far, of each process that was met. */
  readonly #told = new Map<number, number>();
  /** Read once: with the clock being set, the kernel's answer moves by a second. */
  readonly #started = new Map<number, number>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  async tell(): Promise<void> {
    const { workerdPid, port, folder } = this.#machine;
    const pid = workerdPid();
    this.#measure("supervisor", process.pid);
    if (pid !== undefined) this.#measure("workerd", pid);
    const connections = pid === undefined ? null : connectionCount(pid, port);
    if (connections !== null) this.#meter.set(metrics.connections, connections);
    const { usedBytes, freeBytes } = diskSpace(folder);
    this.#meter.set(metrics.diskUsedBytes, usedBytes);
    this.#meter.set(metrics.diskFreeBytes, freeBytes);
    const report = this.#meter.nextReport(this.#source, "machine");
    if (await tellOfMachine(report)) this.#meter.acknowledge(report.sequence);
  }

  #measure(name: string, pid: number): void {
    const stats = processStats(pid);
    if (stats === null) return;
    if (!this.#started.has(pid)) this.#started.set(pid, stats.startSeconds);
    const spent = stats.cpuSeconds - (this.#told.get(pid) ?? 0);
    this.#told.set(pid, stats.cpuSeconds);
    this.#meter.add(metrics.processCpuSeconds, spent, name);
    this.#meter.set(metrics.processStartTime, this.#started.get(pid)!, name);
    this.#meter.set(metrics.processMemoryBytes, stats.memoryBytes, name);
    this.#meter.set(metrics.processThreads, stats.threadCount, name);
    this.#meter.set(metrics.processOpenFiles, stats.openFileCount, name);
  }
}
