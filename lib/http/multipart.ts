// One file out of a multipart/form-data body, as a view of it: `request.formData()` would hold the
// body, its parts and the file, all at once.
//
// Format: RFC 7578 and RFC 2046. Strict in what separates parts, indifferent to what headers they
// have beside Content-Disposition.

import { Buffer } from "node:buffer";
import { SluiceError } from "#lib/base/errors.ts";

const BOUNDARY = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;
const HEAD_BYTES_MAX = 8_000;

export function isMultipart(contentType: string): boolean {
  return /^\s*multipart\/form-data\b/i.test(contentType);
}

/** The content of the first part of that name. Refuses (`parameter_invalid`). */
export function multipartFile(body: Uint8Array, contentType: string, name: string): Uint8Array {
  const match = BOUNDARY.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) throw damaged("its content type names no boundary");
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = `--${boundary}`;
  let at = bytes.indexOf(delimiter);
  const isAtStart = at === 0 || (at > 1 && bytes.toString("latin1", at - 2, at) === "\r\n");
  if (at === -1 || !isAtStart) throw damaged("it does not begin with its boundary");
  for (;;) {
    at += delimiter.length;
    const next = bytes.toString("latin1", at, at + 2);
    if (next === "--") break;
    if (next !== "\r\n") throw damaged("a boundary is followed by something else");
    const headEnd = bytes.indexOf("\r\n\r\n", at);
    if (headEnd === -1 || headEnd - at > HEAD_BYTES_MAX) throw damaged("a part has no headers");
    const end = bytes.indexOf(`\r\n${delimiter}`, headEnd + 2);
    if (end === -1) throw damaged("its last part does not end");
    const head = bytes.toString("utf8", at, headEnd);
    if (nameOf(head) === name) return body.subarray(headEnd + 4, end);
    at = end + 2;
  }
  throw new SluiceError("parameter_invalid", `the form has no "${name}"`, { field: name });
}

function nameOf(head: string): string | undefined {
  const line = /^content-disposition:\s*form-data\b(.*)$/im.exec(head)?.[1] ?? "";
  const match = /;\s*name=(?:"([^"]*)"|([^\s;"]+))/i.exec(line);
  return match?.[1] ?? match?.[2];
}

function damaged(reason: string): SluiceError {
  const message = `the multipart body is damaged: ${reason}`;
  return new SluiceError("parameter_invalid", message, { field: "file" });
}
