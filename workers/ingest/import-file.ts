// What imports have in common: measurement and key, and the file of the request where it is held
// whole; import-parts.ts has it where it is not.

import { createHash, type Hash } from "node:crypto";
import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { readBody } from "#lib/http/body.ts";
import { isMultipart, multipartFile } from "#lib/http/multipart.ts";
import { decompressBody } from "#lib/protocol/compression.ts";
import { measurementNameFault } from "#lib/protocol/walk-batch.ts";

/** The multipart field `file` or the body itself, uncompressed, at most `bytesMax`. */
export async function readFile(request: Request, bytesMax: number): Promise<Uint8Array> {
  const contentType = request.headers.get("content-type") ?? "";
  const body = await readBody(request, LIMITS.bodyBytesMax);
  const sent = isMultipart(contentType) ? multipartFile(body, contentType, "file") : body;
  if (sent.length === 0) throw new SluiceError("body_empty", "the file is empty");
  const file = decompressBody(sent, null);
  if (file.length <= bytesMax) return file;
  const message = `the file has ${file.length} bytes, more than ${bytesMax}; import it in parts`;
  throw new SluiceError("body_too_large", message, { limit: bytesMax });
}

/** Another file or other parameters make another key; the database has its own buffer anyway. */
export function importKey(request: Request, file: Uint8Array): string {
  return `import-${hashParameters(request).update(file).digest("hex")}`;
}

/** Ready to take the file, too. */
export function hashParameters({ url }: Request): Hash {
  const { pathname, searchParams } = new URL(url);
  for (const secret of ["p", "u"]) searchParams.delete(secret);
  searchParams.sort();
  return createHash("sha256").update(`${pathname}?${searchParams}\n`);
}

export function measurementOf(parameters: URLSearchParams): string {
  const measurement = parameters.get("measurement") ?? "";
  const fault = measurementNameFault(measurement);
  if (fault !== null) throw new SluiceError("name_invalid", fault, { measurement });
  return measurement;
}
