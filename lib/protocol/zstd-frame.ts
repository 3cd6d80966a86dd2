// Where a zstd frame ends. node:zlib reads the first frame of a body and drops without a word
// whatever follows it, be it junk or half of the rows; so we look for ourselves.
//
// Format: RFC 8878, section 3.1.1.

const MAGIC_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const BLOCK_TYPE_RLE = 1;

/** Bytes of the frame that `bytes` begins with; beyond the end when it is cut short. */
export function zstdFrameLength(bytes: Uint8Array): number {
  const descriptor = bytes[MAGIC_BYTES] ?? 0;
  const hasChecksum = (descriptor & 4) !== 0;
  let position = MAGIC_BYTES + frameHeaderLength(descriptor);
  for (let isLast = false; !isLast;) {
    if (position + BLOCK_HEADER_BYTES > bytes.length) return Infinity;
    const header = bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16);
    isLast = (header & 1) !== 0;
    const blockType = (header >> 1) & 3;
    position += BLOCK_HEADER_BYTES + (blockType === BLOCK_TYPE_RLE ? 1 : header >> 3);
  }
  return position + (hasChecksum ? 4 : 0);
}

function frameHeaderLength(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowBytes = isSingleSegment ? 0 : 1;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3];
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6];
  return 1 + windowBytes + dictionaryIdBytes + contentSizeBytes;
}
