// How the arrays of a builder grow: by doubling, and without waiting for the garbage collector.
//
// `transfer` moves the content to a larger buffer and frees the old one at once. Left to the
// collector the old ones pile up: it does not see how large they are, and an isolate has 128 MB.

export const ROWS_INITIAL = 1024;

/** At least `byteLength` bytes with the old content in front and zeros behind; `buffer` is gone. */
export function growBuffer(buffer: ArrayBuffer, byteLength: number): ArrayBuffer {
  return buffer.transfer(Math.max(byteLength, 2 * buffer.byteLength));
}
