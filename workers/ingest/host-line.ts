// What the supervisor of a local server says to the front door, over a socket that is its alone
// (embedded/host-line.ts). A named entrypoint: requests from outside never reach it, and on
// Cloudflare nothing is bound to it.
//
//   POST /drain    the server is about to end
//   POST /report   counts and gauges of the machine, as isolates report theirs

import { WorkerEntrypoint } from "cloudflare:workers";
import type { MetricReport } from "#lib/telemetry/meter.ts";
import { startDraining } from "./draining.ts";

export class HostLine extends WorkerEntrypoint<IngestEnv> {
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/drain") startDraining();
    else if (pathname === "/report") await this.#report(await request.json());
    else return new Response(null, { status: 404 });
    return new Response(null, { status: 204 });
  }

  async #report(report: MetricReport): Promise<void> {
    await this.env.TELEMETRY_HUB.getByName("hub").report(report, [], []);
  }
}
