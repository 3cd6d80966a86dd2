// A file of text that comes in chunks, to parts that are imported one after the other.
//
// Where a part ends depends on the content alone, never on how the chunks came: so a file that is
// sent again, corrected behind some place, has the same parts before it, and those are known again.
//
// Refuses a record that does not end within what may be in memory.

import { type ErrorCode, SluiceError } from "#lib/base/errors.ts";
import { joinBytes } from "#lib/base/join-bytes.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { RecordEnds } from "./record-ends.ts";

/** Whole records; together the parts are the file. Its bytes are for whoever gets it to release. */
export interface FilePart {
  readonly bytes: Uint8Array;
  /** What line of the file it begins with, from 1. */
  readonly firstLine: number;
}

const LF = 0x0a;

/** Each part ends with the first record that makes it `partBytes` long; the last one anyhow. */
export async function* cutParts(
  chunks: AsyncIterable<Uint8Array>,
  ends: RecordEnds,
  partBytes: number,
): AsyncGenerator<FilePart> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  /** Of the record at hand, within the part. */
  let recordStart = 0;
  let firstLine = 1;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = ends.next(chunk, 0); end !== -1; end = ends.next(chunk, end)) {
      const byteLength = pendingBytes + end - start;
      if (byteLength - recordStart > LIMITS.rowFormBytesMax) break;
      recordStart = byteLength;
      if (byteLength < partBytes) continue;
      const bytes = joinBytes([...pending, chunk.subarray(start, end)]);
      const part = { bytes, firstLine };
      firstLine += lineCount(bytes);
      yield part;
      pending = [];
      pendingBytes = 0;
      recordStart = 0;
      start = end;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes - recordStart > LIMITS.rowFormBytesMax) {
      const line = firstLine + lineCount(joinBytes(pending).subarray(0, recordStart));
      throw endless(ends.code, line);
    }
  }
  if (pendingBytes > 0) yield { bytes: joinBytes(pending), firstLine };
}

function lineCount(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) count += 1;
  return count;
}

function endless(code: ErrorCode, line: number): SluiceError {
  const limit = LIMITS.rowFormBytesMax;
  const reason = `what begins here does not end within ${limit} bytes; is a quote not closed?`;
  return new SluiceError(code, `line ${line}: ${reason}`, { line, limit });
}
