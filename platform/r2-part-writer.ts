// An object that comes piece by piece, as R2's multipart upload.
//
// Parts are cut to one size, as R2 demands, and two are under way at most: an isolate has no room
// for a large file, nor for many parts of it. What fits the first part needs no upload and is put.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { PartWriter } from "#lib/base/ports.ts";

const IN_FLIGHT_MAX = 2;

/** Makes one call of the bucket, which carries so many bytes. */
export type CallBucket = <T>(
  operation: string,
  byteLength: number,
  call: () => Promise<T>,
) => Promise<T>;

export class R2PartWriter implements PartWriter {
  readonly #bucket: R2Bucket;
  readonly #key: string;
  readonly #call: CallBucket;
  #upload: R2MultipartUpload | null = null;
  readonly #sent: Promise<R2UploadedPart>[] = [];
  #part = new Uint8Array(0);
  #filled = 0;
  #byteLength = 0;

  constructor(bucket: R2Bucket, key: string, call: CallBucket) {
    this.#bucket = bucket;
    this.#key = key;
    this.#call = call;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#filled === LIMITS.uploadPartBytes) await this.#send();
      if (this.#filled === 0) this.#part = new Uint8Array(LIMITS.uploadPartBytes);
      const piece = bytes.subarray(at, at + LIMITS.uploadPartBytes - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      this.#byteLength += piece.length;
      at += piece.length;
    }
  }

  async finish(): Promise<{ byteLength: number }> {
    if (this.#upload === null) {
      const whole = this.#part.subarray(0, this.#filled);
      await this.#ask("put", whole.length, () => this.#bucket.put(this.#key, whole));
    } else {
      const upload = this.#upload;
      if (this.#filled > 0) await this.#send();
      const parts = await Promise.all(this.#sent);
      await this.#ask("complete_upload", 0, () => upload.complete(parts));
    }
    return { byteLength: this.#byteLength };
  }

  async abort(): Promise<void> {
    const upload = this.#upload;
    if (upload === null) return;
    await Promise.allSettled(this.#sent);
    await this.#ask("abort_upload", 0, () => upload.abort());
  }

  async #send(): Promise<void> {
    const create = () => this.#bucket.createMultipartUpload(this.#key);
    const upload = (this.#upload ??= await this.#ask("create_upload", 0, create));
    await this.#sent.at(-IN_FLIGHT_MAX);
    const number = this.#sent.length + 1;
    const part = this.#part.subarray(0, this.#filled);
    const sent = this.#ask("upload_part", part.length, () => upload.uploadPart(number, part));
    // It is looked at later, and must not count as a failure that nobody looks at until then.
    sent.catch(() => {});
    this.#sent.push(sent);
    this.#filled = 0;
  }

  async #ask<T>(operation: string, byteLength: number, call: () => Promise<T>): Promise<T> {
    try {
      return await this.#call(operation, byteLength, call);
    } catch (cause) {
      const message = `object ${this.#key} could not be stored`;
      throw new SluiceError("store_unavailable", message, { key: this.#key }, { cause });
    }
  }
}
