// Texts as places in a larger array of bytes, and whether those are UTF-8.
//
// A TextDecoder knows that too, but only by making a string of each.

/** Runs of bytes in some larger array, one per row; the `end` of a NULL is NULL_SLICE. */
export interface TextSlices {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

export const NULL_SLICE = -1;

export function newTextSlices(rowCount: number): TextSlices {
  return { starts: new Int32Array(rowCount), ends: new Int32Array(rowCount) };
}

export function countNulls(slices: TextSlices, count: number): number {
  let nullCount = 0;
  for (let at = 0; at < count; at++) if (slices.ends[at] === NULL_SLICE) nullCount += 1;
  return nullCount;
}

/**
 * The first of `count` slices that is not UTF-8; null when all are. `view` shows the same bytes.
 * Words from both ends, overlapping, so that short texts need no loop, whose length the processor
 * would guess wrong; only what goes beyond ASCII, a high bit in any byte, is looked at closely.
 */
export function findInvalidUtf8(
  bytes: Uint8Array,
  view: DataView,
  slices: TextSlices,
  count: number,
): number | null {
  const { starts, ends } = slices;
  for (let at = 0; at < count; at++) {
    const start = starts[at];
    const end = ends[at];
    if (end < 0) continue;
    let seen = 0;
    if (end - start < 4) {
      for (let position = start; position < end; position++) seen |= bytes[position];
    } else {
      seen = view.getInt32(start, true) | view.getInt32(end - 4, true);
      if (end - start > 8) seen |= view.getInt32(start + 4, true) | view.getInt32(end - 8, true);
      for (let position = start + 8; position < end - 8; position += 8) {
        seen |= view.getInt32(position, true) | view.getInt32(position + 4, true);
      }
    }
    if ((seen & 0x80808080) !== 0 && !isUtf8(bytes, start, end)) return at;
  }
  return null;
}

/**
 * True when `bytes[start .. end)` is well-formed UTF-8: shortest forms only, no surrogates, nothing
 * above U+10FFFF. (The Unicode Standard 17.0, table 3-7, row by row.)
 */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at];
    if (lead < 0x80) {
      at += 1;
    } else if (lead < 0xe0) {
      if (lead < 0xc2 || at + 2 > end || !isTrail(bytes[at + 1])) return false;
      at += 2;
    } else if (lead < 0xf0) {
      if (at + 3 > end || !isTrail(bytes[at + 2])) return false;
      const second = bytes[at + 1];
      if (second < (lead === 0xe0 ? 0xa0 : 0x80) || second > (lead === 0xed ? 0x9f : 0xbf)) {
        return false;
      }
      at += 3;
    } else {
      if (lead > 0xf4 || at + 4 > end) return false;
      if (!isTrail(bytes[at + 2]) || !isTrail(bytes[at + 3])) return false;
      const second = bytes[at + 1];
      if (second < (lead === 0xf0 ? 0x90 : 0x80) || second > (lead === 0xf4 ? 0x8f : 0xbf)) {
        return false;
      }
      at += 4;
    }
  }
  return true;
}

function isTrail(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
