// Whether this server is about to end: said by its supervisor (host-line.ts), asked by whoever
// answers something that would never end by itself.

import { sleep } from "#platform/clock.ts";

const LOOK_EVERY_MS = 500;

const server = { isDraining: false };

export function startDraining(): void {
  server.isDraining = true;
}

export function isDraining(): boolean {
  return server.isDraining;
}

/** `leave` is called once when the server is about to end, unless the client has gone before. */
export async function leaveWhenDraining(leave: () => void, isGone: () => boolean): Promise<void> {
  while (!isGone()) {
    if (server.isDraining) return leave();
    await sleep(LOOK_EVERY_MS);
  }
}
