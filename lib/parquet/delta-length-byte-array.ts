// Parquet's DELTA_LENGTH_BYTE_ARRAY: all lengths, then all texts one after another.
// For texts that seldom repeat. Texts without lengths between them also compress better than PLAIN.
// https://github.com/apache/parquet-format/blob/master/Encodings.md

import type { TextHeap } from "#lib/columnar/types.ts";

import type { ByteWriter } from "./byte-writer.ts";
import { writeDeltaBinaryPacked } from "./delta-binary-packed.ts";

/** Appends the texts of `codes[from .. to)`. */
export function writeDeltaLengthByteArray(
  heap: TextHeap,
  codes: Int32Array,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  const { offsets } = heap;
  const lengths = new Int32Array(2 * (to - from));
  let byteLength = 0;
  for (let i = from; i < to; i++) {
    const length = offsets[codes[i] + 1] - offsets[codes[i]];
    lengths[2 * (i - from)] = length;
    byteLength += length;
  }
  writeDeltaBinaryPacked(lengths, 0, to - from, out);
  out.reserve(byteLength);
  writeTexts(heap, codes, from, to, out);
}

/**
 * Texts that lie side by side in the heap, as those of an unsorted batch do, are copied in one go.
 */
function writeTexts(
  { offsets, bytes: source }: TextHeap,
  codes: Int32Array,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  const target = out.bytes;
  let at = out.length;
  for (let i = from; i < to;) {
    const first = codes[i];
    let next = first + 1;
    for (i++; i < to && codes[i] === next; i++) next++;
    const start = offsets[first];
    const end = offsets[next];
    if (end - start > 64) {
      target.set(source.subarray(start, end), at);
      at += end - start;
    } else {
      for (let j = start; j < end; j++) target[at++] = source[j];
    }
  }
  out.length = at;
}
