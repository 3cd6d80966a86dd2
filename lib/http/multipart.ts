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
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = delimiterOf(contentType);
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
  throw absent(name);
}

/**
 * The same out of a body that comes in chunks, cut anywhere. It is not read further than the file.
 */
export async function* multipartFileChunks(
  chunks: AsyncIterable<Uint8Array>,
  contentType: string,
  name: string,
): AsyncGenerator<Uint8Array> {
  const separator = `\r\n${delimiterOf(contentType)}`;
  const body = new Lookahead(chunks);
  if (!(await body.skipPast(separator))) throw damaged("it does not begin with its boundary");
  for (;;) {
    const next = await body.take(2);
    if (next === "--") break;
    if (next !== "\r\n") throw damaged("a boundary is followed by something else");
    const head = await body.takeHead();
    if (nameOf(head) === name) return yield* body.takeUntil(separator);
    for await (const _ of body.takeUntil(separator)) continue;
  }
  throw absent(name);
}

/** The bytes that have come and are not taken yet. */
class Lookahead {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** A separator is the end of a line, and the first one has no line before it. */
  #bytes: Buffer = Buffer.from("\r\n");

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  async skipPast(separator: string): Promise<boolean> {
    const at = await this.#find(separator);
    if (at !== -1) this.#bytes = this.#bytes.subarray(at + separator.length);
    return at !== -1;
  }

  async take(byteCount: number): Promise<string> {
    while (this.#bytes.length < byteCount) {
      if (!(await this.#more())) throw damaged("its last part does not end");
    }
    const taken = this.#bytes.toString("latin1", 0, byteCount);
    this.#bytes = this.#bytes.subarray(byteCount);
    return taken;
  }

  /** Leaves the end of its last line, with which the separator of an empty part begins. */
  async takeHead(): Promise<string> {
    this.#bytes = Buffer.concat([Buffer.from("\r\n"), this.#bytes]);
    const end = await this.#find("\r\n\r\n");
    if (end === -1) throw damaged("a part has no headers");
    const head = this.#bytes.toString("utf8", 0, end);
    this.#bytes = this.#bytes.subarray(end + 2);
    return head;
  }

  /** All behind the end of the head's last line, up to the separator, which is taken too. */
  async *takeUntil(separator: string): AsyncGenerator<Uint8Array> {
    let from = 2;
    for (;;) {
      const end = this.#bytes.indexOf(separator);
      // What may be the separator's beginning waits for the rest of it.
      const safe = end === -1 ? this.#bytes.length - separator.length + 1 : end;
      if (safe > from) yield this.#bytes.subarray(from, safe);
      if (end !== -1) {
        this.#bytes = this.#bytes.subarray(end + separator.length);
        return;
      }
      if (safe > from) {
        this.#bytes = this.#bytes.subarray(safe);
        from = 0;
      }
      if (!(await this.#more())) throw damaged("its last part does not end");
    }
  }

  /** -1: not within the length of a head. */
  async #find(text: string): Promise<number> {
    for (;;) {
      const at = this.#bytes.subarray(0, HEAD_BYTES_MAX + text.length).indexOf(text);
      if (at !== -1) return at;
      if (this.#bytes.length > HEAD_BYTES_MAX || !(await this.#more())) return -1;
    }
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    this.#bytes = this.#bytes.length === 0 ? bufferOf(value) : Buffer.concat([this.#bytes, value]);
    return true;
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** With what parts are separated, at the beginning of a line. */
function delimiterOf(contentType: string): string {
  const match = BOUNDARY.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) throw damaged("its content type names no boundary");
  return `--${boundary}`;
}

function absent(name: string): SluiceError {
  return new SluiceError("parameter_invalid", `the form has no "${name}"`, { field: name });
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
