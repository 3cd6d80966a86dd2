// The folder with all state of a local server, and who may use it: one server at a time.
//
//   durable-objects/ queues/ crons/   SQLite files of workerd
//   r2/<bucket>/<key>                 objects, as plain files
//   r2-index/<bucket>/                which objects there are
//   admin-token                       only where none was given
//
// The lock is held on a SQLite file, so the operating system gives it back when its holder dies,
// however it dies; a process id in a file would have to be believed.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { STATE_FOLDERS } from "./workerd-config.ts";

/** A reason to end that the user can do something about: shown without a stack. */
export class StartRefused extends Error {}

/** Makes the folder if need be. Returns the lock; it holds until closed or the process is gone. */
export function claimDataFolder(folder: string): DatabaseSync {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of STATE_FOLDERS) mkdirSync(join(folder, name), { recursive: true });
  const lock = new DatabaseSync(join(folder, "lock"));
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
  } catch (error) {
    lock.close();
    const isHeld = (error as { errcode?: number }).errcode === SQLITE_BUSY;
    if (isHeld) throw new StartRefused(`another server is running on ${folder}`);
    throw error;
  }
  return lock;
}

const SQLITE_BUSY = 5;

/** The token kept in the folder, made on first use. */
export function keptAdminToken(folder: string): { token: string; path: string } {
  const path = join(folder, "admin-token");
  if (!existsSync(path)) {
    writeFileSync(path, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  }
  return { token: readFileSync(path, "utf8").trim(), path };
}
