// A write's body: read under a cap, unpacked under a cap, both timed.

import { LIMITS } from "#lib/base/limits.ts";
import { readBody } from "#lib/http/body.ts";
import { decompressBody } from "#lib/protocol/compression.ts";
import type { AdmittedArrival } from "./arrival.ts";

export async function readStage({ request, telemetry }: AdmittedArrival): Promise<Uint8Array> {
  using _read = telemetry.stage("read");
  return await readBody(request, LIMITS.bodyBytesMax);
}

export function decompressStage(
  { request, telemetry }: AdmittedArrival,
  bytes: Uint8Array,
): Uint8Array {
  using _decompress = telemetry.stage("decompress");
  const plain = decompressBody(bytes, request.headers.get("content-encoding"));
  telemetry.decoded(plain.length);
  return plain;
}
