// A file of text that is imported in parts, as a stream: out of its form, unpacked, cut at the ends
// of records. Of the file no more than the first 20 MB and a part are in memory.
//
// Every part has an idempotency key made of the parameters and of all content up to its end. So a
// file that is sent again, as it was or corrected behind some place, stores what is new in it.

import { isSluiceError, SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { bodyChunks } from "#lib/http/body.ts";
import { isMultipart, multipartFileChunks } from "#lib/http/multipart.ts";
import { cutParts, type FilePart } from "#lib/protocol/cut-parts.ts";
import { decompressChunks } from "#lib/protocol/decompress-stream.ts";
import type { RecordEnds } from "#lib/protocol/record-ends.ts";
import { hashParameters } from "./import-file.ts";

export interface ImportPart extends FilePart {
  readonly idempotencyKey: string;
}

/** Parts of which all are looked at before one is stored. */
export type PartGroup = readonly ImportPart[];

/**
 * A file up to LIMITS.rowFormBytesMax is one group. Of a larger one so much, and the part that goes
 * beyond it, is the first group, and then every part is one.
 */
export async function* readPartGroups(
  request: Request,
  ends: RecordEnds,
): AsyncGenerator<PartGroup> {
  const first: ImportPart[] = [];
  let byteLength = 0;
  for await (const part of readParts(request, ends)) {
    if (byteLength > LIMITS.rowFormBytesMax) {
      yield [part];
      continue;
    }
    first.push(part);
    byteLength += part.bytes.length;
    if (byteLength > LIMITS.rowFormBytesMax) yield first.splice(0);
  }
  if (byteLength === 0) throw new SluiceError("body_empty", "the file is empty");
  if (first.length > 0) yield first;
}

async function* readParts(request: Request, ends: RecordEnds): AsyncGenerator<ImportPart> {
  const contentType = request.headers.get("content-type") ?? "";
  const body = bodyChunks(request, LIMITS.importBodyBytesMax);
  const sent = isMultipart(contentType) ? multipartFileChunks(body, contentType, "file") : body;
  const file = decompressChunks(sent, LIMITS.importTextBytesMax);
  const hash = hashParameters(request);
  let number = 0;
  try {
    for await (const part of cutParts(file, ends, LIMITS.importPartBytes)) {
      const digest = hash.update(part.bytes).copy().digest("hex");
      yield { ...part, idempotencyKey: `import-${digest}-${number++}` };
    }
  } finally {
    // A client that is still sending when it is refused would see a broken pipe, not the answer.
    for await (const _ of body) continue;
  }
}

/** What went wrong in the middle of a file, saying so. */
export function afterRows(error: unknown, rowsStored: number): unknown {
  if (!isSluiceError(error) || rowsStored === 0) return error;
  const { code, detail, cause } = error;
  const kept = `${rowsStored} rows before are stored, once, also when the file is sent again`;
  const message = `${error.message}; ${kept}`;
  return new SluiceError(code, message, { ...detail, rows_stored: rowsStored }, { cause });
}
