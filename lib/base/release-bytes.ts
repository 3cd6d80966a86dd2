// Memory of decompressed bytes, given back without waiting for the garbage collector.
//
// The collector does not see how large such memory is: without this an isolate that is busy grows
// by every body and every page it reads.

/**
 * Frees the memory of bytes of our own making, such as a decompressor of node:zlib returns, once
 * nothing looks at them any more. Never to be called on bytes that came from elsewhere.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  // Node cuts small outputs from a pool that other buffers share.
  const isShared = buffer.byteLength !== byteLength;
  if (buffer instanceof ArrayBuffer && !isShared) buffer.transfer(0);
}
