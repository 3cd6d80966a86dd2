// An object that comes piece by piece, as R2's multipart upload.
//
// Parts are cut to one size, as R2 demands, and two are under way at most: an isolate has no room
// for a large file, nor for many parts of it. What fits the first part needs no upload and is put.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { PartWriter } from "#lib/base/ports.ts";

const IN_FLIGHT_MAX = 2;

export class R2PartWriter implements PartWriter {
  readonly #bucket: R2Bucket;
  readonly #key: string;
  #upload: R2MultipartUpload | null = null;
  readonly #sent: Promise<R2UploadedPart>[] = [];
  #part = new Uint8Array(0);
  #filled = 0;
  #byteLength = 0;

  constructor(bucket: R2Bucket, key: string) {
    this.#bucket = bucket;
    this.#key = key;
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
      await this.#ask(this.#bucket.put(this.#key, whole));
    } else {
      if (this.#filled > 0) await this.#send();
      const parts = await this.#ask(Promise.all(this.#sent));
      await this.#ask(this.#upload.complete(parts));
    }
    return { byteLength: this.#byteLength };
  }

  async abort(): Promise<void> {
    if (this.#upload === null) return;
    await Promise.allSettled(this.#sent);
    await this.#ask(this.#upload.abort());
  }

  async #send(): Promise<void> {
    this.#upload ??= await this.#ask(this.#bucket.createMultipartUpload(this.#key));
    const oldest = this.#sent.at(-IN_FLIGHT_MAX);
    if (oldest !== undefined) await this.#ask(oldest);
    const sent = this.#upload.uploadPart(
      this.#sent.length + 1,
      this.#part.subarray(0, this.#filled),
    );
    // It is asked for later, and must not count as a failure that nobody looks at until then.
    sent.catch(() => {});
    this.#sent.push(sent);
    this.#filled = 0;
  }

  async #ask<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (cause) {
      const message = `object ${this.#key} could not be stored`;
      throw new SluiceError("store_unavailable", message, { key: this.#key }, { cause });
    }
  }
}
