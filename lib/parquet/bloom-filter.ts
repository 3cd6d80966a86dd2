// Parquet's split block Bloom filter: is this text perhaps in the chunk, or surely not?
//
// Bounds say little about ids: between the smallest and the largest of 100,000 random ids lies
// nearly every other. A filter of ten bits per id rules out 99 of 100 chunks that a lookup would
// read in vain.
// https://github.com/apache/parquet-format/blob/master/BloomFilter.md

import type { TextHeap } from "#lib/columnar/types.ts";

import { ByteWriter } from "./byte-writer.ts";
import { writeThrift } from "./thrift-compact.ts";
import { highWord, xxHash64 } from "./xxhash64.ts";

const BLOCK_BYTES = 32;
const BLOCK_WORDS = BLOCK_BYTES / 4;
/** One false positive in a hundred for a filter of this kind: -8 / ln(1 - 0.01^(1/8)). */
const BITS_PER_TEXT = 9.682;
/** Enough for a row group of 100,000 different texts; more than that only adds false positives. */
const FILTER_BYTES_MAX = 128 * 1024;

/** From the format's text: one per word of a block. */
const SALTS = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
);

/** Header and filter of the heap entries in `entries`, as they stand in the file. */
export function bloomFilterBytes(heap: TextHeap, entries: Int32Array): Uint8Array {
  const words = new Int32Array(filterBytes(entries.length) / 4);
  const blockCount = words.length / BLOCK_WORDS;
  const hash = new Int32Array(2);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    xxHash64(heap.bytes, heap.offsets[entry], heap.offsets[entry + 1], hash);
    const block = highWord(hash[1], blockCount) * BLOCK_WORDS;
    for (let j = 0; j < BLOCK_WORDS; j++) {
      words[block + j] |= 1 << (Math.imul(hash[0], SALTS[j]) >>> 27);
    }
  }

  const out = new ByteWriter(words.byteLength + 32);
  writeThrift(out, (header) => {
    header.i32(1, words.byteLength);
    header.struct(2, (algorithm) => algorithm.emptyStruct(1)); // split blocks
    header.struct(3, (hash) => hash.emptyStruct(1)); // xxHash64
    header.struct(4, (compression) => compression.emptyStruct(1)); // none
  });
  out.append(new Uint8Array(words.buffer));
  return out.written();
}

/** A power of two, as Arrow's reader refuses others. */
function filterBytes(textCount: number): number {
  let byteLength = BLOCK_BYTES;
  while (byteLength < FILTER_BYTES_MAX && byteLength * 8 < textCount * BITS_PER_TEXT) {
    byteLength *= 2;
  }
  return byteLength;
}
