// Parquet's DELTA_LENGTH_BYTE_ARRAY: all lengths, then all texts one after another.
// For texts that seldom repeat. Texts without lengths between them also compress better than PLAIN.
// https://github.com/apache/parquet-format/blob/master/Encodings.md

import type { TextHeap } from "#lib/columnar/types.ts";

import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { readDeltaBinaryPacked, writeDeltaBinaryPacked } from "./delta-binary-packed.ts";
import { fileCorrupt } from "./file-corrupt.ts";

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

/** Takes `count` texts: appends them to `texts`, and where each ends there to `ends[endsAt ..]`. */
export function readDeltaLengthByteArray(
  reader: ByteReader,
  count: number,
  texts: ByteWriter,
  ends: Int32Array,
  endsAt: number,
): void {
  const lengths = new Int32Array(2 * count);
  readDeltaBinaryPacked(reader, count, lengths, 0);
  let end = texts.length;
  const endMax = end + reader.end - reader.at;
  for (let i = 0; i < count; i++) {
    if (lengths[2 * i + 1] !== 0 || lengths[2 * i] < 0) throw fileCorrupt("a text has no length");
    end += lengths[2 * i];
    if (end > endMax) throw fileCorrupt("a text is longer than its page");
    ends[endsAt + i] = end;
  }
  texts.append(reader.take(end - texts.length));
}
