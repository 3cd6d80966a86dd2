// Incidents that are made to happen to a real stack, and the alerts that must tell of them. Each is
// mended again, and then the alerts must end.

import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mendSegments, poisonSegments } from "../../helpers/buffer-files.ts";
import { encodeBatch, HttpClient } from "../../helpers/http-client.ts";
import type { Stack } from "../../helpers/stack.ts";

export interface Incident {
  readonly name: string;
  /** Those that must fire; others may too. */
  readonly alerts: readonly string[];
  /** One of them is enough. */
  readonly isAnyEnough?: true;
  plant(stack: Stack): Promise<void>;
  /** Done again and again until the alerts have fired. */
  suffer?(stack: Stack): Promise<void>;
  mend(stack: Stack): Promise<void>;
}

export function dataFolderOf(stack: Stack): string {
  return join(stack.folder, "data");
}

/** The object store stages what it is given here; without the folder every put fails. */
const stagingOf = (stack: Stack) => join(dataFolderOf(stack), "r2-index", "sluice-lake", "staging");

const nothing = () => Promise.resolve();

function takeLakeAway(stack: Stack): void {
  renameSync(stagingOf(stack), `${stagingOf(stack)}-away`);
}

function giveLakeBack(stack: Stack): void {
  renameSync(`${stagingOf(stack)}-away`, stagingOf(stack));
}

export const LAKE_DOWN: Incident = {
  name: "the object store takes no objects",
  alerts: ["SluiceLakeErrors", "SluiceFlushFailing", "SluiceFlushDelayed"],
  plant: async (stack) => takeLakeAway(stack),
  mend: async (stack) => giveLakeBack(stack),
};

const BULK_BYTES = 7_000_000;

/** Rows that no compression makes smaller, and that nothing can flush. */
export const OVERLOAD: Incident = {
  name: "more comes in than is flushed, until writes are refused",
  alerts: ["SluiceBackPressure", "SluiceLossBurnFast"],
  plant: async (stack) => takeLakeAway(stack),
  async suffer(stack) {
    const cells = Array.from({ length: 10 }, () => randomBytes(BULK_BYTES / 20).toString("hex"));
    const time = cells.map((_, at) => BigInt(Date.now() + at) * 1_000n);
    const response = await clientOf(stack).write(encodeBatch("bulk", { time, text: cells }));
    await response.arrayBuffer();
  },
  mend: async (stack) => giveLakeBack(stack),
};

export const SLOW_QUERIES: Incident = {
  name: "queries that take seconds",
  alerts: ["SluiceQueriesSlow"],
  plant: nothing,
  async suffer(stack) {
    const some = "(SELECT value FROM load LIMIT 8000)";
    const sql = `SELECT sum(sqrt(a.value + b.value)) FROM ${some} a, ${some} b`;
    await Promise.all(Array.from({ length: 4 }, () => clientOf(stack).query(sql)));
  },
  mend: nothing,
};

export const WRONG_TOKENS: Incident = {
  name: "a client with a token that is no more",
  alerts: ["SluiceAuthFailures"],
  plant: nothing,
  async suffer(stack) {
    const client = new HttpClient(() => stack.url, "no-such-token");
    await Promise.all(Array.from({ length: 20 }, () => client.fetch("/api/v1/databases")));
  },
  mend: nothing,
};

export const WRONG_TYPES: Incident = {
  name: "a client that has changed a column's type",
  alerts: ["SluiceRowsRejected"],
  plant: nothing,
  async suffer(stack) {
    const time = Array.from({ length: 1_000 }, (_, at) => BigInt(Date.now() + at) * 1_000n);
    const columns = { time, value: time.map(() => "text, where a number was") };
    await (await clientOf(stack).write(encodeBatch("load", columns))).arrayBuffer();
  },
  mend: nothing,
};

export const KILLED: Incident = {
  name: "kill -9",
  alerts: ["SluiceDown"],
  plant: (stack) => stack.kill(),
  mend: (stack) => stack.start(),
};

/** Of a file system of its own. */
export const DISK_NEARLY_FULL: Incident = {
  name: "3 % of the disk are free",
  alerts: ["SluiceDiskFilling", "SluiceDiskFull"],
  async plant(stack) {
    const { blocks, bavail } = statfsSync(dataFolderOf(stack));
    placeBallast(stack, bavail - Math.floor(blocks * 0.03));
  },
  mend: removeBallast,
};

/** Without a byte to store its totals in, the hub may not answer either: then the scrape fails. */
export const DISK_FULL: Incident = {
  name: "no byte is free",
  alerts: ["SluiceDown", "SluiceDiskFull"],
  isAnyEnough: true,
  plant: async (stack) => placeBallast(stack, statfsSync(dataFolderOf(stack)).bavail),
  mend: removeBallast,
};

function placeBallast(stack: Stack, blockCount: number): void {
  const { bsize } = statfsSync(dataFolderOf(stack));
  try {
    writeFileSync(ballastOf(stack), Buffer.alloc(blockCount * bsize, 1));
  } catch (error) {
    // The server writes meanwhile; a disk that is full sooner is full all the same.
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

async function removeBallast(stack: Stack): Promise<void> {
  rmSync(ballastOf(stack));
}

const ballastOf = (stack: Stack) => join(dataFolderOf(stack), "ballast");

/** Where the queue keeps its messages there is a folder instead of a file: it takes none. */
export const QUEUE_LOST: Incident = {
  name: "the queue takes no messages",
  alerts: ["SluiceQueueRefusesHints", "SluiceQueueLosesHints"],
  async plant(stack) {
    await stack.kill();
    for (const file of queueFilesOf(stack)) {
      renameSync(file, `${file}-away`);
      mkdirSync(file);
    }
    await stack.start();
  },
  async mend(stack) {
    await stack.kill();
    for (const file of queueFilesOf(stack)) {
      rmSync(file, { recursive: true });
      renameSync(`${file}-away`, file);
    }
    await stack.start();
  },
};

function queueFilesOf(stack: Stack): string[] {
  const folder = join(dataFolderOf(stack), "queues", "queues");
  const names = readdirSync(folder).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name));
  return names.map((name) => join(folder, name));
}

const POISONED = "poisoned";

/** Mended as the runbook says: when the cause is gone, by a replay. */
export const POISON: Incident = {
  name: "a segment that cannot be written",
  alerts: ["SluiceSegmentQuarantined"],
  async plant(stack) {
    const time = [BigInt(Date.now()) * 1_000n];
    await clientOf(stack).write(encodeBatch(POISONED, { time, value: [1] }));
    await stack.kill();
    poisonSegments(stack, POISONED);
    await stack.start();
  },
  async mend(stack) {
    await stack.kill();
    mendSegments(stack, POISONED);
    await stack.start();
    const path = "/api/v1/databases/default/segments";
    const response = await clientOf(stack).fetch(path);
    const { segments } = (await response.json()) as { segments: { id: string; state: string }[] };
    for (const { id } of segments.filter(({ state }) => state === "quarantined")) {
      await clientOf(stack).post(`${path}/${id}/replay`, {});
    }
  },
};

export function clientOf(stack: Stack): HttpClient {
  return new HttpClient(() => stack.url);
}
