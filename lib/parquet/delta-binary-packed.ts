// Parquet's DELTA_BINARY_PACKED: 64-bit integers (times, counts, lengths) as packed differences.
//
// Blocks of 128 differences; each block subtracts its smallest difference, each quarter of a block
// has its own bit width. All arithmetic is on pairs of 32-bit words and wraps at 64 bits, as the
// format says, so that it is exact for every int64 (nanosecond times and 64-bit ids do not fit a
// double).
// https://github.com/apache/parquet-format/blob/master/Encodings.md

import { bitWidth, packBits, unpackBits } from "./bit-packing.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { fileCorrupt } from "./file-corrupt.ts";

const BLOCK_VALUES = 128;
const MINIBLOCKS = 4;
const MINIBLOCK_VALUES = BLOCK_VALUES / MINIBLOCKS;

/** Differences of the block at hand, low and high words. */
const lows = new Int32Array(BLOCK_VALUES);
const highs = new Int32Array(BLOCK_VALUES);

/**
 * Appends the numbers `[from, to)` of `words`, at least one; two words a number, low word first.
 */
export function writeDeltaBinaryPacked(
  words: Int32Array,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  out.varint(BLOCK_VALUES);
  out.varint(MINIBLOCKS);
  out.varint(to - from);
  out.zigzag64(words[2 * from], words[2 * from + 1]);
  for (let at = from + 1; at < to; at += BLOCK_VALUES) {
    writeBlock(words, at, Math.min(to, at + BLOCK_VALUES), out);
  }
}

function writeBlock(words: Int32Array, from: number, to: number, out: ByteWriter): void {
  const count = to - from;
  subtractMin(takeDifferences(words, from, to), count, out);
  // The format has the last quarter in use padded to its full length.
  lows.fill(0, count);
  highs.fill(0, count);

  out.reserve(MINIBLOCKS);
  const widthsAt = out.length;
  out.length += MINIBLOCKS;
  for (let i = 0; i < MINIBLOCKS; i++) {
    const start = i * MINIBLOCK_VALUES;
    const width = start < count ? widthOf(start, start + MINIBLOCK_VALUES) : 0;
    out.bytes[widthsAt + i] = width;
    if (width > 32) packPairs(start, start + MINIBLOCK_VALUES, width, out);
    else if (width > 0) packBits(lows, start, start + MINIBLOCK_VALUES, width, out);
  }
}

/** Fills `lows` and `highs`; the answer is the position of the smallest difference. */
function takeDifferences(words: Int32Array, from: number, to: number): number {
  let lowBefore = words[2 * from - 2];
  let highBefore = words[2 * from - 1];
  let minLow = 0;
  let minHigh = 0;
  let minAt = -1;
  for (let i = 0; i < to - from; i++) {
    const low = words[2 * (from + i)];
    const high = words[2 * (from + i) + 1];
    const deltaLow = (low - lowBefore) | 0;
    const borrow = low >>> 0 < lowBefore >>> 0 ? 1 : 0;
    const deltaHigh = (high - highBefore - borrow) | 0;
    lows[i] = deltaLow;
    highs[i] = deltaHigh;
    const isLess = deltaHigh < minHigh || (deltaHigh === minHigh && deltaLow >>> 0 < minLow >>> 0);
    if (minAt < 0 || isLess) {
      minAt = i;
      minLow = deltaLow;
      minHigh = deltaHigh;
    }
    lowBefore = low;
    highBefore = high;
  }
  return minAt;
}

function subtractMin(minAt: number, count: number, out: ByteWriter): void {
  const minLow = lows[minAt];
  const minHigh = highs[minAt];
  out.zigzag64(minLow, minHigh);
  for (let i = 0; i < count; i++) {
    const low = lows[i];
    const borrow = low >>> 0 < minLow >>> 0 ? 1 : 0;
    lows[i] = low - minLow;
    highs[i] = highs[i] - minHigh - borrow;
  }
}

function widthOf(from: number, to: number): number {
  let low = 0;
  let high = 0;
  for (let i = from; i < to; i++) {
    low |= lows[i];
    high |= highs[i];
  }
  return high === 0 ? bitWidth(low) : 32 + bitWidth(high);
}

/** Numbers wider than 32 bits: a full low word and the rest of the high word, in turn. */
function packPairs(from: number, to: number, width: number, out: ByteWriter): void {
  const highWidth = width - 32;
  let word = 0;
  let bitCount = 0;
  for (let i = from; i < to; i++) {
    // The low word fills the word at hand and leaves just as many bits over.
    out.uint32(word | (lows[i] << bitCount));
    word = bitCount === 0 ? 0 : lows[i] >>> (32 - bitCount);
    word |= highs[i] << bitCount;
    bitCount += highWidth;
    if (bitCount >= 32) {
      out.uint32(word);
      bitCount -= 32;
      word = bitCount === 0 ? 0 : highs[i] >>> (highWidth - bitCount);
    }
  }
}

/** Takes `count` numbers, at least one, into `words`, from number `wordsAt` on. */
export function readDeltaBinaryPacked(
  reader: ByteReader,
  count: number,
  words: Int32Array,
  wordsAt: number,
): void {
  const isOurs = reader.varint() === BLOCK_VALUES && reader.varint() === MINIBLOCKS;
  if (!isOurs || reader.varint() !== count) throw fileCorrupt("a page of differences is not ours");
  reader.zigzag64(words, 2 * wordsAt);
  for (let done = 1; done < count; done += BLOCK_VALUES) {
    readBlock(reader, Math.min(BLOCK_VALUES, count - done), words, wordsAt + done);
  }
}

const blockMin = new Int32Array(2);

function readBlock(reader: ByteReader, count: number, words: Int32Array, wordsAt: number): void {
  reader.zigzag64(blockMin, 0);
  const widthsAt = reader.skip(MINIBLOCKS);
  for (let i = 0; i < MINIBLOCKS; i++) {
    const start = i * MINIBLOCK_VALUES;
    const width = reader.bytes[widthsAt + i];
    if (width > 64 || (start >= count && width > 0)) throw fileCorrupt("differences of no width");
    if (width <= 32) highs.fill(0, start, start + MINIBLOCK_VALUES);
    if (width === 0) {
      lows.fill(0, start, start + MINIBLOCK_VALUES);
      continue;
    }
    const at = reader.skip((MINIBLOCK_VALUES / 8) * width);
    if (width > 32) unpackPairs(reader.bytes, at, start, width);
    else unpackBits(reader.bytes, at, MINIBLOCK_VALUES, width, lows, start);
  }
  addUp(count, words, wordsAt);
}

/** As packPairs left them: 32 numbers of `width` bits, 33 to 64, into `lows` and `highs`. */
function unpackPairs(bytes: Uint8Array, from: number, start: number, width: number): void {
  const highWidth = width - 32;
  const highMask = highWidth === 32 ? -1 : (1 << highWidth) - 1;
  const wordAt = (bit: number): number => {
    const at = from + (bit >>> 3);
    const shift = bit & 7;
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    return shift === 0 ? word : (word >>> shift) | (bytes[at + 4] << (32 - shift));
  };
  for (let i = 0; i < MINIBLOCK_VALUES; i++) {
    lows[start + i] = wordAt(i * width);
    highs[start + i] = wordAt(i * width + 32) & highMask;
  }
}

/** Each number is the one before it, plus the block's smallest difference, plus its own. */
function addUp(count: number, words: Int32Array, wordsAt: number): void {
  const minLow = blockMin[0];
  const minHigh = blockMin[1];
  let low = words[2 * wordsAt - 2];
  let high = words[2 * wordsAt - 1];
  for (let i = 0; i < count; i++) {
    const deltaLow = (lows[i] + minLow) | 0;
    const deltaCarry = deltaLow >>> 0 < minLow >>> 0 ? 1 : 0;
    low = (low + deltaLow) | 0;
    const carry = low >>> 0 < deltaLow >>> 0 ? 1 : 0;
    high = (high + highs[i] + minHigh + deltaCarry + carry) | 0;
    words[2 * (wordsAt + i)] = low;
    words[2 * (wordsAt + i) + 1] = high;
  }
}
