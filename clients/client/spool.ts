// Batches in files, so that they outlive the process (Node only).
//
// A file is written and synced before its batch is sent for the first time, and removed when the
// server has acknowledged it. Whoever opens the folder next sends what is there, under the key
// that the batch had from the beginning. Two processes may share a folder: what both send is
// stored once. A batch that is refused for good stays as `.refused`, for people to look at.
//
// A file is one line of JSON and then the body of the request, as it is sent.
//
// node:fs is imported when a spool is opened: in a browser there is none, nor a spool.

import type { BatchFacts } from "./errors.ts";

export interface SpooledBatch extends BatchFacts {
  readonly file: string;
}

export interface Spool {
  /**
   * All that earlier processes have left, the oldest first. `onBroken` hears of files that cannot
   * be read, which hold up none of the others.
   */
  list(onBroken: (file: string, cause: unknown) => void): Promise<SpooledBatch[]>;
  /** Resolves when the batch is on the disk. */
  put(batch: BatchFacts, body: Uint8Array): Promise<string>;
  /** null: somebody else has sent and removed it. */
  read(file: string): Promise<Uint8Array<ArrayBuffer> | null>;
  remove(file: string): Promise<void>;
  /** Returns the file's new name. */
  putAside(file: string): Promise<string>;
}

const SUFFIX = ".batch";
const UNFINISHED = ".unfinished";
/** An unfinished file that is older than this has lost its process. */
const UNFINISHED_MS_MAX = 3_600_000;
const NEWLINE = 10;

export async function openSpool(folder: string): Promise<Spool> {
  const fs = await import("node:fs/promises");
  const { join } = await import("node:path");
  await fs.mkdir(folder, { recursive: true });

  async function load(file: string): Promise<{ head: BatchFacts; body: Uint8Array<ArrayBuffer> }> {
    const bytes = await fs.readFile(join(folder, file));
    const end = bytes.indexOf(NEWLINE);
    const head = JSON.parse(bytes.toString("utf8", 0, end)) as BatchFacts;
    return { head, body: new Uint8Array(bytes.subarray(end + 1)) };
  }

  /** Makes it last that a file has come or has got another name. */
  async function syncFolder(): Promise<void> {
    const handle = await fs.open(folder, "r");
    await handle.sync().finally(() => handle.close());
  }

  return {
    async list(onBroken) {
      const names = (await fs.readdir(folder)).toSorted();
      await removeUnfinished(
        fs,
        names.filter(isUnfinished).map((name) => join(folder, name)),
      );
      const batches: SpooledBatch[] = [];
      for (const file of names.filter((name) => name.endsWith(SUFFIX))) {
        try {
          const found = await orNull(load(file));
          if (found !== null) batches.push({ ...found.head, file });
        } catch (cause) {
          onBroken(file, cause);
        }
      }
      return batches;
    },

    async put(batch, body) {
      const file = `${String(Date.now()).padStart(15, "0")}-${batch.key}${SUFFIX}`;
      const unfinished = join(folder, file + UNFINISHED);
      await writeSynced(fs, unfinished, [`${JSON.stringify(batch)}\n`, body]);
      await fs.rename(unfinished, join(folder, file));
      await syncFolder();
      return file;
    },

    async read(file) {
      return (await orNull(load(file)))?.body ?? null;
    },

    async remove(file) {
      await fs.rm(join(folder, file), { force: true });
    },

    async putAside(file) {
      const aside = join(folder, `${file}.refused`);
      await orNull(fs.rename(join(folder, file), aside));
      return aside;
    },
  };
}

/** On an error, as of a full disk, nothing stays. */
async function writeSynced(
  fs: typeof import("node:fs/promises"),
  path: string,
  parts: readonly (string | Uint8Array)[],
): Promise<void> {
  const handle = await fs.open(path, "wx");
  try {
    // Not `write`, which may write a part and be content.
    for (const part of parts) await handle.appendFile(part);
    await handle.sync();
  } catch (error) {
    await fs.rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

function isUnfinished(name: string): boolean {
  return name.endsWith(SUFFIX + UNFINISHED);
}

async function removeUnfinished(
  fs: typeof import("node:fs/promises"),
  paths: readonly string[],
): Promise<void> {
  for (const path of paths) {
    const stat = await orNull(fs.stat(path));
    const isOld = stat !== null && Date.now() - stat.mtimeMs > UNFINISHED_MS_MAX;
    if (isOld) await fs.rm(path, { force: true });
  }
}

/** null: the file is gone. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return null;
    throw error;
  }
}
