// Files that survive the loss of power: written aside, flushed, and only then given their name.
//
// A crash leaves either nothing under the name or the whole file; what is left aside is removed at
// the next start.

import { createHash, randomUUID } from "node:crypto";
import type { Hash } from "node:crypto";
import { link, mkdir, open, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ChecksumAlgorithm, Checksums } from "./protocol.ts";

/** Bytes gathered before they are handed to the disk: fewer, larger writes. */
const WRITE_BYTES = 1 << 20;

export interface StagedFile {
  readonly path: string;
  readonly byteLength: number;
  readonly checksums: Checksums;
}

/** Writes `value` to a new file in `folder`, flushed to the disk, and hashes it on the way. */
export async function stageFile(
  folder: string,
  value: AsyncIterable<Buffer>,
  algorithms: readonly ChecksumAlgorithm[],
): Promise<StagedFile> {
  const path = join(folder, randomUUID());
  const hashes = algorithms.map((name) => [name, createHash(name)] as const);
  const handle = await open(path, "wx");
  let byteLength: number;
  try {
    byteLength = await writeAll(
      handle,
      value,
      hashes.map(([, hash]) => hash),
    );
    await handle.sync();
  } catch (error) {
    await handle.close();
    await unlink(path);
    throw error;
  }
  await handle.close();
  const checksums = Object.fromEntries(hashes.map(([name, hash]) => [name, hash.digest("hex")]));
  return { path, byteLength, checksums };
}

async function writeAll(
  handle: FileHandle,
  value: AsyncIterable<Buffer>,
  hashes: readonly Hash[],
): Promise<number> {
  let byteLength = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of value) {
    for (const hash of hashes) hash.update(chunk);
    pending.push(chunk);
    pendingBytes += chunk.byteLength;
    byteLength += chunk.byteLength;
    if (pendingBytes < WRITE_BYTES) continue;
    await handle.writev(pending);
    pending = [];
    pendingBytes = 0;
  }
  if (pending.length > 0) await handle.writev(pending);
  return byteLength;
}

/** Gives a staged file the name `root/path`. False if that name cannot be had. */
export async function publishFile(staged: string, root: string, path: string): Promise<boolean> {
  const target = join(root, path);
  const folder = dirname(target);
  try {
    const created = await mkdir(folder, { recursive: true });
    await link(staged, target);
    await syncFolders(folder, created === undefined ? folder : dirname(created));
    return true;
  } catch (error) {
    if (NAME_IS_TAKEN.has((error as NodeJS.ErrnoException).code!)) return false;
    throw error;
  }
}

const NAME_IS_TAKEN = new Set(["EEXIST", "ENOTDIR", "EISDIR", "ENAMETOOLONG"]);

/** A new name is durable once its folder is flushed; a new folder, once its parent is. */
async function syncFolders(from: string, to: string): Promise<void> {
  for (let folder = from; ; folder = dirname(folder)) {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (folder === to) return;
  }
}

/** Removes files that may be gone already. */
export async function removeFiles(root: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      await unlink(join(root, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}
