// xxHash64 with seed 0, the hash that Parquet's Bloom filters are defined with.
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
//
// JavaScript has no fast 64-bit integers. Here each is a pair of 32-bit words, and the words of a
// product are found separately: some twenty times faster than BigInt, which matters since every
// distinct text of a column with a Bloom filter is hashed.

const PRIME1_HIGH = 0x9e3779b1 | 0;
const PRIME1_LOW = 0x85ebca87 | 0;
const PRIME2_HIGH = 0xc2b2ae3d | 0;
const PRIME2_LOW = 0x27d4eb4f | 0;
const PRIME3_HIGH = 0x165667b1 | 0;
const PRIME3_LOW = 0x9e3779f9 | 0;
const PRIME4_HIGH = 0x85ebca77 | 0;
const PRIME4_LOW = 0xc2b2ae63 | 0;
const PRIME5_HIGH = 0x27d4eb2f | 0;
const PRIME5_LOW = 0x165667c5 | 0;

const STRIPE_BYTES = 32;

/** A 64-bit number: low word, high word. */
type Words = Int32Array;

const { imul } = Math;

/** Puts the hash of `bytes[from .. to)` into `hash`. */
export function xxHash64(bytes: Uint8Array, from: number, to: number, hash: Words): void {
  let at = from;
  if (to - from < STRIPE_BYTES) {
    set(hash, PRIME5_LOW, PRIME5_HIGH);
  } else {
    at = hashStripes(bytes, from, to, hash);
  }
  add(hash, to - from, 0);
  at = mixWords(bytes, at, to, hash);
  mixTail(bytes, at, to, hash);
  avalanche(hash);
}

const lanes = [new Int32Array(2), new Int32Array(2), new Int32Array(2), new Int32Array(2)];
const LANE_ROTATIONS = [1, 7, 12, 18];
const input = new Int32Array(2);

/** All whole stripes of 32 bytes, each 8 of them in a lane of their own. Gives where they end. */
function hashStripes(bytes: Uint8Array, from: number, to: number, hash: Words): number {
  set(lanes[0], PRIME1_LOW, PRIME1_HIGH);
  add(lanes[0], PRIME2_LOW, PRIME2_HIGH);
  set(lanes[1], PRIME2_LOW, PRIME2_HIGH);
  set(lanes[2], 0, 0);
  set(lanes[3], -PRIME1_LOW, ~PRIME1_HIGH);

  let at = from;
  for (; at + STRIPE_BYTES <= to; at += STRIPE_BYTES) {
    for (let i = 0; i < 4; i++) {
      set(input, word(bytes, at + 8 * i), word(bytes, at + 8 * i + 4));
      mixLane(lanes[i], input);
    }
  }

  set(hash, 0, 0);
  for (let i = 0; i < 4; i++) {
    set(input, lanes[i][0], lanes[i][1]);
    rotate(input, LANE_ROTATIONS[i]);
    add(hash, input[0], input[1]);
  }
  for (let i = 0; i < 4; i++) {
    set(input, 0, 0);
    mixLane(input, lanes[i]);
    hash[0] ^= input[0];
    hash[1] ^= input[1];
    multiply(hash, PRIME1_LOW, PRIME1_HIGH);
    add(hash, PRIME4_LOW, PRIME4_HIGH);
  }
  return at;
}

/** lane = rotate(lane + value × PRIME2, 31) × PRIME1 */
function mixLane(lane: Words, value: Words): void {
  const low = value[0];
  add(lane, imul(low, PRIME2_LOW), productHigh(low, value[1], PRIME2_LOW, PRIME2_HIGH));
  rotate(lane, 31);
  multiply(lane, PRIME1_LOW, PRIME1_HIGH);
}

/** Per 8 bytes: hash = rotate(hash ^ rotate(value × PRIME2, 31) × PRIME1, 27) × PRIME1 + PRIME4 */
function mixWords(bytes: Uint8Array, from: number, to: number, hash: Words): number {
  let at = from;
  for (; at + 8 <= to; at += 8) {
    const low = word(bytes, at);
    const high = word(bytes, at + 4);
    set(input, imul(low, PRIME2_LOW), productHigh(low, high, PRIME2_LOW, PRIME2_HIGH));
    rotate(input, 31);
    multiply(input, PRIME1_LOW, PRIME1_HIGH);
    hash[0] ^= input[0];
    hash[1] ^= input[1];
    rotate(hash, 27);
    multiply(hash, PRIME1_LOW, PRIME1_HIGH);
    add(hash, PRIME4_LOW, PRIME4_HIGH);
  }
  return at;
}

/** The last 0 to 7 bytes. */
function mixTail(bytes: Uint8Array, from: number, to: number, hash: Words): void {
  let at = from;
  if (at + 4 <= to) {
    // hash = rotate(hash ^ value × PRIME1, 23) × PRIME2 + PRIME3
    const low = word(bytes, at);
    hash[0] ^= imul(low, PRIME1_LOW);
    hash[1] ^= productHigh(low, 0, PRIME1_LOW, PRIME1_HIGH);
    rotate(hash, 23);
    multiply(hash, PRIME2_LOW, PRIME2_HIGH);
    add(hash, PRIME3_LOW, PRIME3_HIGH);
    at += 4;
  }
  for (; at < to; at++) {
    // hash = rotate(hash ^ byte × PRIME5, 11) × PRIME1
    hash[0] ^= imul(bytes[at], PRIME5_LOW);
    hash[1] ^= productHigh(bytes[at], 0, PRIME5_LOW, PRIME5_HIGH);
    rotate(hash, 11);
    multiply(hash, PRIME1_LOW, PRIME1_HIGH);
  }
}

/** hash ^= hash >> 33, × PRIME2; hash ^= hash >> 29, × PRIME3; hash ^= hash >> 32 */
function avalanche(hash: Words): void {
  hash[0] ^= hash[1] >>> 1;
  multiply(hash, PRIME2_LOW, PRIME2_HIGH);
  hash[0] ^= (hash[0] >>> 29) | (hash[1] << 3);
  hash[1] ^= hash[1] >>> 29;
  multiply(hash, PRIME3_LOW, PRIME3_HIGH);
  hash[0] ^= hash[1];
}

/** Little-endian, at any address. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function set(value: Words, low: number, high: number): void {
  value[0] = low;
  value[1] = high;
}

function add(sum: Words, low: number, high: number): void {
  const lowSum = (sum[0] + low) | 0;
  const carry = lowSum >>> 0 < low >>> 0 ? 1 : 0;
  sum[0] = lowSum;
  sum[1] += high + carry;
}

function multiply(product: Words, low: number, high: number): void {
  product[1] = productHigh(product[0], product[1], low, high);
  product[0] = imul(product[0], low);
}

/** To the left, by 1 to 31 bits. */
function rotate(value: Words, bits: number): void {
  const low = value[0];
  const high = value[1];
  value[0] = (low << bits) | (high >>> (32 - bits));
  value[1] = (high << bits) | (low >>> (32 - bits));
}

/** The second word of a × b; the first is `imul(aLow, bLow)`. */
function productHigh(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  return (highWord(aLow, bLow) + imul(aHigh, bLow) + imul(aLow, bHigh)) | 0;
}

/** The upper 32 of the 64 bits of a × b, both read as unsigned; put together from 16-bit halves. */
export function highWord(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (imul(aHigh, bLow) >>> 0) + (imul(aLow, bLow) >>> 16);
  const carried = (imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (imul(aHigh, bHigh) + (middle >>> 16) + (carried >>> 16)) | 0;
}
