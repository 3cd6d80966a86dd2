// What a stream of events says of itself: the only place where posts and readers become metrics.

import { isRefusal, type Refusal } from "#lib/base/errors.ts";
import type { DropReason } from "#lib/events/broadcast.ts";
import type { PostRequest } from "#lib/events/hub.ts";
import type { PostReceipt } from "#lib/events/stored-events.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import * as metrics from "#lib/telemetry/metrics/events.ts";
import { meter } from "#platform/telemetry.ts";

/** Events that were stored before under the same key are not posted again. */
export async function countPost(
  { events }: PostRequest,
  post: () => Promise<PostReceipt | Refusal>,
): Promise<PostReceipt | Refusal> {
  const startMs = Date.now();
  const receipt = await post();
  if (isRefusal(receipt)) return receipt;
  if (!receipt.isDuplicate) meter.add(metrics.posted, events.length);
  meter.observe(metrics.postSeconds, (Date.now() - startMs) / 1_000);
  return receipt;
}

/** To one reader. */
export function countStreamed(eventCount: number): void {
  meter.add(metrics.streamed, eventCount);
}

export function countDropped(reason: DropReason | "vanished"): void {
  meter.add(metrics.readersDropped, 1, reason);
}

/** How it stands right now, for who scrapes. */
export function streamGauges(readerCount: number): FamilyValues[] {
  return [{ metric: metrics.readers, series: [{ labels: [], value: readerCount }] }];
}
