// Stands for workers/ingest/request-telemetry.ts in a server that counts nothing and traces nothing
// (bench/telemetry.ts).

import type { RequestTelemetry as Real } from "../../workers/ingest/request-telemetry.ts";
import { type Span, UNRECORDED } from "#lib/telemetry/span.ts";

const STAGE = { recordedTrace: null, [Symbol.dispose]() {} };

export class RequestTelemetry implements Pick<Real, keyof Real> {
  readonly span: Span = UNRECORDED;
  readonly route = "unknown";
  readonly traceparent = "00-00000000000000000000000000000000-0000000000000000-00";

  admitted(): void {}

  routed(): void {}

  stage(): typeof STAGE {
    return STAGE;
  }

  decoded(): void {}

  offer(): void {}

  settle(): void {}

  leftOut(): void {}

  finish(): void {}
}
