// A request on its way through the front door, and what is known of it so far.

import type { Principal } from "#lib/directory/types.ts";
import type { Log } from "#platform/log.ts";
import type { RequestTelemetry } from "./request-telemetry.ts";

export interface Arrival {
  readonly request: Request;
  readonly env: IngestEnv;
  readonly requestId: string;
  readonly log: Log;
  readonly telemetry: RequestTelemetry;
}

/** After the route was found and the token allowed it. */
export interface AdmittedArrival extends Arrival {
  readonly principal: Principal;
  /** The database that the path or `x-arc-database` names; null when the request names none. */
  readonly database: string | null;
  /** Parts of the path that the route leaves open. */
  readonly params: Readonly<Record<string, string>>;
}
