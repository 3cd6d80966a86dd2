import { spawnSync } from "node:child_process";
import { createServer, connect } from "node:net";
import { once } from "node:events";
import { platform, tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import {
  connectionCount,
  countEstablished,
  cpuSecondsOf,
  diskSpace,
  processStats,
  startSecondsOf,
} from "../../embedded/process-stats.ts";

const isLinux = platform() === "linux";

describe("what a process uses", () => {
  test.runIf(isLinux)("is what the kernel says of this one", () => {
    const stats = processStats(process.pid)!;
    const { user, system } = process.cpuUsage();
    expect(stats.cpuSeconds).toBeGreaterThan(0);
    const startSeconds = Date.now() / 1_000 - process.uptime();
    expect(Math.abs(stats.startSeconds - startSeconds)).toBeLessThan(5);
    expect(Math.abs(stats.cpuSeconds - (user + system) / 1e6)).toBeLessThan(1);
    expect(stats.memoryBytes).toBeGreaterThan(1e7);
    expect(stats.threadCount).toBeGreaterThan(1);
    expect(stats.openFileCount).toBeGreaterThan(2);
  });

  test("is nothing once it is gone", () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    expect(processStats(pid)).toBeNull();
  });

  test("a name with blanks and brackets does not shift the fields", () => {
    const fields = Array.from({ length: 50 }, (_, at) => at + 3);
    const stat = `7 (a) b) S ${fields.slice(1).join(" ")}`;
    expect(cpuSecondsOf(stat)).toBe((14 + 15) / 100);
    expect(startSecondsOf(stat, "cpu 1 2\nbtime 1000\nprocesses 9\n")).toBe(1000 + 22 / 100);
  });
});

describe("connections", () => {
  test.runIf(isLinux)("are those that somebody has to the port", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    expect(connectionCount(process.pid, port)).toBe(0);
    const sockets = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    expect(connectionCount(process.pid, port)).toBe(2);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test("listening and closed ones are not counted, nor those to another port", () => {
    const table = `  sl  local_address rem_address   st
   0: 0100007F:1F40 00000000:0000 0A
   1: 0100007F:1F40 0100007F:D431 01
   2: 0100007F:D431 0100007F:1F40 01
   3: 0100007F:1F40 0100007F:D432 06
`;
    expect(countEstablished(table, 8_000)).toBe(1);
    expect(countEstablished(table, 8_001)).toBe(0);
  });
});

test("a disk has used and free bytes", () => {
  const { usedBytes, freeBytes } = diskSpace(tmpdir());
  expect(usedBytes).toBeGreaterThan(0);
  expect(freeBytes).toBeGreaterThan(0);
});
