// How the values of one column in one row group are stored: which encoding, with which bounds.
//
// * int64, timestamp: DELTA_BINARY_PACKED. Times in order shrink to a byte or two. PLAIN where
//   numbers are all over the 64-bit range.
// * float64, bool: PLAIN. What is left to gain, zstd gains.
// * utf8: indices into a dictionary where texts repeat, DELTA_LENGTH_BYTE_ARRAY where they do not.
//   Texts that are looked up by equality, but too many for bounds to say much, get a Bloom filter.

import { assert } from "#lib/base/assert.ts";
import type { Column, TextHeap, Utf8Column } from "#lib/columnar/types.ts";

import type { ByteWriter } from "./byte-writer.ts";
import { writeDeltaBinaryPacked } from "./delta-binary-packed.ts";
import { writeDeltaLengthByteArray } from "./delta-length-byte-array.ts";
import type { Dictionary, DictionaryBuilder } from "./dictionary.ts";
import { ENCODING, type Encoding } from "./format.ts";
import { writePlainBools, writePlainDoubles, writePlainInt64s, writePlainTexts } from "./plain.ts";
import { writeHybrid } from "./rle-bitpacked-hybrid.ts";
import { boolBounds, float64Bounds, int64Bounds, utf8Bounds, type Bounds } from "./statistics.ts";

/**
 * Wider spread integers are random and gain nothing from differences; and DuckDB 0.9 misreads a
 * first value or smallest difference that does not fit 63 bits.
 */
const DELTA_SPREAD_MAX = 2n ** 62n - 1n;
/** A dictionary of fewer texts is as quick to read as the filter would be. */
const BLOOM_TEXTS_MIN = 1000;
/**
 * Longer texts are messages and documents. Nobody asks for one by equality, and hashing them is
 * dear.
 */
const BLOOM_TEXT_BYTES_MEAN_MAX = 64;
/** So is a JSON object or array of any length: it is looked into, not looked up. */
const JSON_OPENINGS = new Set([0x7b, 0x5b]);
const BLOOM_SAMPLE_TEXTS = 64;

export interface EncodedValues {
  readonly encoding: Encoding;
  readonly bounds: Bounds | null;
}

export interface ColumnEncoder {
  /** What a dictionary page holds; null when values are stored without one. */
  readonly dictionary: { readonly textCount: number; write(out: ByteWriter): void } | null;
  /** Texts that a Bloom filter is to know; null when there is to be none. */
  readonly bloom: { readonly heap: TextHeap; readonly entries: Int32Array } | null;
  /** Size of each value where it varies much, for cutting pages. */
  readonly byteLengths: Int32Array | null;
  /** Appends the values `[from, to)`, at least one. */
  encode(from: number, to: number, out: ByteWriter): EncodedValues;
}

/** `values` holds no NULL. The encoder is valid until `dictionaries` serves another column. */
export function encoderOf(values: Column, dictionaries: DictionaryBuilder): ColumnEncoder {
  assert(values.validity === null, "encoders see only values that are there");
  const common = { dictionary: null, bloom: null, byteLengths: null };
  switch (values.type) {
    case "int64":
    case "timestamp":
      return { ...common, encode: (from, to, out) => encodeInt64(values.words, from, to, out) };
    case "float64":
      return {
        ...common,
        encode(from, to, out) {
          writePlainDoubles(values.values, from, to, out);
          return { encoding: ENCODING.plain, bounds: float64Bounds(values.values, from, to) };
        },
      };
    case "bool":
      return {
        ...common,
        encode(from, to, out) {
          writePlainBools(values.values, from, to, out);
          return { encoding: ENCODING.plain, bounds: boolBounds(values.values, from, to) };
        },
      };
    case "utf8": {
      const dictionary = values.rowCount === 0 ? null : dictionaries.build(values);
      return dictionary === null ? textEncoder(values) : dictionaryEncoder(values, dictionary);
    }
  }
}

function encodeInt64(words: Int32Array, from: number, to: number, out: ByteWriter): EncodedValues {
  const bounds = int64Bounds(words, from, to);
  const min = bounds.min.value as bigint;
  const max = bounds.max.value as bigint;
  if (min >= -DELTA_SPREAD_MAX && max <= DELTA_SPREAD_MAX && max - min <= DELTA_SPREAD_MAX) {
    writeDeltaBinaryPacked(words, from, to, out);
    return { encoding: ENCODING.deltaBinaryPacked, bounds };
  }
  writePlainInt64s(words, from, to, out);
  return { encoding: ENCODING.plain, bounds };
}

function dictionaryEncoder({ heap }: Utf8Column, dictionary: Dictionary): ColumnEncoder {
  const { entries, indices, indexWidth } = dictionary;
  const byteLength = entries.reduce(
    (sum, entry) => sum + heap.offsets[entry + 1] - heap.offsets[entry],
    0,
  );
  const hasBloom = entries.length >= BLOOM_TEXTS_MIN && isLookedUp(heap, entries, byteLength);
  return {
    dictionary: {
      textCount: entries.length,
      write: (out) => writePlainTexts(heap, entries, out),
    },
    bloom: hasBloom ? { heap, entries } : null,
    byteLengths: null,
    encode(from, to, out) {
      out.byte(indexWidth);
      writeHybrid(indices, from, to, indexWidth, out);
      const used = entriesUsed(dictionary, from, to);
      const bounds = utf8Bounds(heap, used, 0, used.length);
      return { encoding: ENCODING.rleDictionary, bounds };
    },
  };
}

/** Each text of `[from, to)` once, so that bounds compare few texts. */
function entriesUsed({ entries, indices }: Dictionary, from: number, to: number): Int32Array {
  const isUsed = new Uint8Array(entries.length);
  const used = new Int32Array(Math.min(entries.length, to - from));
  let count = 0;
  for (let i = from; i < to; i++) {
    const index = indices[i];
    if (isUsed[index] === 1) continue;
    isUsed[index] = 1;
    used[count++] = entries[index];
  }
  return used.subarray(0, count);
}

function textEncoder({ heap, codes, rowCount }: Utf8Column): ColumnEncoder {
  const byteLengths = new Int32Array(rowCount);
  let byteLength = 0;
  for (let i = 0; i < rowCount; i++) {
    byteLengths[i] = heap.offsets[codes[i] + 1] - heap.offsets[codes[i]];
    byteLength += byteLengths[i];
  }
  const hasBloom = rowCount >= BLOOM_TEXTS_MIN && isLookedUp(heap, codes, byteLength, rowCount);
  return {
    dictionary: null,
    bloom: hasBloom ? { heap, entries: codes } : null,
    byteLengths,
    encode(from, to, out) {
      writeDeltaLengthByteArray(heap, codes, from, to, out);
      const bounds = utf8Bounds(heap, codes, from, to);
      return { encoding: ENCODING.deltaLengthByteArray, bounds };
    },
  };
}

/**
 * Whether someone might ask for one of the texts by equality. `entries` has at least the sample.
 */
function isLookedUp(
  heap: TextHeap,
  entries: Int32Array,
  byteLength: number,
  textCount = entries.length,
): boolean {
  if (byteLength > textCount * BLOOM_TEXT_BYTES_MEAN_MAX) return false;
  let documents = 0;
  for (let i = 0; i < BLOOM_SAMPLE_TEXTS; i++) {
    const start = heap.offsets[entries[i]];
    const isEmpty = heap.offsets[entries[i] + 1] === start;
    if (!isEmpty && JSON_OPENINGS.has(heap.bytes[start])) documents++;
  }
  return documents < BLOOM_SAMPLE_TEXTS / 2;
}
