// A file whose times the engine takes for TIMESTAMP: its footer is handed over changed
// (lib/parquet/plain-times.ts), everything else as it is.

import { withPlainTimes } from "#lib/parquet/plain-times.ts";
import type { FileSource } from "./engine.ts";

/** `footerByteLength` is that of the footer with its 8-byte tail. */
export function plainTimeSource(source: FileSource, footerByteLength: number): FileSource {
  const { byteLength } = source;
  const footerStart = byteLength - footerByteLength;
  let footer: Uint8Array | null = null;

  /** Of a stretch that reaches into the footer. */
  const readChanged = (
    offset: number,
    length: number,
    plain: Uint8Array,
  ): Uint8Array | Promise<Uint8Array> =>
    whenRead(source.read(offset, length), (read) => {
      const bytes = read.slice();
      const from = Math.max(offset, footerStart);
      bytes.set(plain.subarray(from - footerStart, offset + length - footerStart), from - offset);
      return bytes;
    });

  return {
    byteLength,
    read(offset, length) {
      if (offset + length <= footerStart) return source.read(offset, length);
      if (footer !== null) return readChanged(offset, length, footer);
      return whenRead(source.read(footerStart, footerByteLength), (bytes) => {
        footer = withPlainTimes(bytes);
        return readChanged(offset, length, footer);
      });
    },
  };
}

/** At once where the bytes are there: a promise would put the engine to sleep. */
function whenRead<T>(
  read: Uint8Array | Promise<Uint8Array>,
  take: (bytes: Uint8Array) => T | Promise<T>,
): T | Promise<T> {
  return read instanceof Uint8Array ? take(read) : read.then(take);
}
