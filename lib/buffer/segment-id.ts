// `<shard>.<epoch>.<number>`: names a sealed run of one buffer's log, and is never used again.

import { SluiceError } from "#lib/base/errors.ts";

const PATTERN = /^(\d{1,6})\.(\d{1,9})\.(\d{1,15})$/;

export interface SegmentId {
  readonly shard: number;
  readonly epoch: number;
  readonly segmentNo: number;
}

export function formatSegmentId({ shard, epoch, segmentNo }: SegmentId): string {
  return `${shard}.${epoch}.${segmentNo}`;
}

export function parseSegmentId(text: string): SegmentId {
  const match = PATTERN.exec(text);
  if (!match) throw new SluiceError("segment_unknown", `"${text}" is not a segment id`);
  return { shard: Number(match[1]), epoch: Number(match[2]), segmentNo: Number(match[3]) };
}
