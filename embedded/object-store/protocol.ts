// What workerd's R2 binding says over HTTP, and what it wants to hear.
//
// A GET carries its request as JSON in a header. A PUT carries it as the first bytes of the body,
// the object's value after it. Answers are JSON followed by the value, or an error in a header.
// This is the runtime's own interface (src/workerd/api/r2-api.capnp), not R2's public one: workerd
// is pinned and test/embedded/object-store/binding.test.ts talks through a real binding.
// 64-bit numbers may arrive as strings. Checksums are keyed "0" MD5 … "4" SHA-512.

import type { IncomingMessage } from "node:http";

export const REQUEST_HEADER = "cf-r2-request";
export const METADATA_SIZE_HEADER = "cf-r2-metadata-size";
export const ERROR_HEADER = "cf-r2-error";

export const CHECKSUM_ALGORITHMS = ["md5", "sha1", "sha256", "sha384", "sha512"] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];
/** Hex digests. */
export type Checksums = Partial<Record<ChecksumAlgorithm, string>>;

export type CustomFields = readonly { k: string; v: string }[];
export type HttpFields = Record<string, string | number>;

export interface ETagCondition {
  readonly type: "strong" | "weak" | "wildcard";
  readonly value?: string;
}
export interface Conditions {
  readonly etagMatches?: readonly ETagCondition[];
  readonly etagDoesNotMatch?: readonly ETagCondition[];
  readonly uploadedBefore?: number | string;
  readonly uploadedAfter?: number | string;
  readonly secondsGranularity?: boolean;
}
export interface RequestedRange {
  readonly offset?: number | string;
  readonly length?: number | string;
  readonly suffix?: number | string;
}
interface Fields {
  readonly httpFields?: HttpFields;
  readonly customFields?: CustomFields;
}
export interface GetRequest {
  readonly method: "get";
  readonly object: string;
  readonly onlyIf?: Conditions;
  readonly range?: RequestedRange;
  readonly rangeHeader?: string;
}
/** MD5 is base64, the others are hex: so the binding sends them. */
export interface PutRequest extends Fields, Checksums {
  readonly method: "put";
  readonly object: string;
  readonly onlyIf?: Conditions;
}
export interface ListRequest {
  readonly method: "list";
  readonly limit?: number;
  readonly prefix?: string;
  readonly cursor?: string;
  readonly delimiter?: string;
  readonly startAfter?: string;
  /** 0 for HTTP metadata, 1 for custom metadata. */
  readonly include?: readonly number[];
}
export interface CreateUploadRequest extends Fields {
  readonly method: "createMultipartUpload";
  readonly object: string;
}
export interface UploadPartRequest {
  readonly method: "uploadPart";
  readonly object: string;
  readonly uploadId: string;
  readonly partNumber: number;
}
export interface CompleteUploadRequest {
  readonly method: "completeMultipartUpload";
  readonly object: string;
  readonly uploadId: string;
  readonly parts: readonly { etag: string; part: number }[];
}
export type R2Request =
  | { readonly method: "head"; readonly object: string }
  | GetRequest
  | PutRequest
  | ListRequest
  | { readonly method: "delete"; readonly object?: string; readonly objects?: readonly string[] }
  | CreateUploadRequest
  | UploadPartRequest
  | CompleteUploadRequest
  | {
      readonly method: "abortMultipartUpload";
      readonly object: string;
      readonly uploadId: string;
    };

export interface ObjectRecord {
  readonly key: string;
  readonly version: string;
  readonly byteLength: number;
  readonly etag: string;
  readonly uploadedMs: number;
  readonly httpFields: HttpFields;
  readonly customFields: CustomFields;
  readonly checksums: Checksums;
}
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}
export interface ListPage {
  readonly objects: readonly ObjectRecord[];
  readonly delimitedPrefixes: readonly string[];
  /** Present when there is more. */
  readonly cursor?: string;
}

/** The request and, after it, the bytes of the value (none for a GET). */
export async function readRequest(
  message: IncomingMessage,
): Promise<{ request: R2Request; value: AsyncIterable<Buffer> }> {
  if (message.method === "GET") {
    // Header bytes are UTF-8 here; Node reads headers as Latin-1.
    const header = Buffer.from(String(message.headers[REQUEST_HEADER]), "latin1").toString();
    return { request: JSON.parse(header) as R2Request, value: message };
  }
  const metadataBytes = Number(message.headers[METADATA_SIZE_HEADER]);
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  while (head.byteLength < metadataBytes) {
    const next = await chunks.next();
    if (next.done === true) throw new R2Error("metadata_invalid");
    head = Buffer.concat([head, next.value]);
  }
  const request = JSON.parse(head.toString("utf8", 0, metadataBytes)) as R2Request;
  return { request, value: remaining(head.subarray(metadataBytes), chunks) };
}

async function* remaining(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.byteLength > 0) yield first;
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) return;
    yield next.value;
  }
}

export function encodeObject(record: ObjectRecord, range?: ByteRange): Buffer {
  return Buffer.from(JSON.stringify(objectToWire(record, range)));
}

export function encodeListPage(page: ListPage, include: readonly number[]): Buffer {
  const objects = page.objects.map((record) => {
    const httpFields = include.includes(0) ? record.httpFields : {};
    const customFields = include.includes(1) ? record.customFields : [];
    return objectToWire({ ...record, httpFields, customFields });
  });
  const { delimitedPrefixes, cursor } = page;
  const truncated = cursor !== undefined;
  return Buffer.from(JSON.stringify({ objects, truncated, cursor, delimitedPrefixes }));
}

function objectToWire(record: ObjectRecord, range?: ByteRange): object {
  const checksums = CHECKSUM_ALGORITHMS.map((name, index) => [index, record.checksums[name]]);
  return {
    name: record.key,
    version: record.version,
    size: record.byteLength,
    etag: record.etag,
    uploaded: record.uploadedMs,
    httpFields: record.httpFields,
    customFields: record.customFields,
    checksums: Object.fromEntries(checksums),
    ...(range && { range }),
  };
}

// Statuses, codes and sentences of R2: developers.cloudflare.com/r2/api/error-codes.
const R2_ERRORS = {
  internal: { status: 500, code: 10001, message: "We encountered an internal error." },
  key_unknown: { status: 404, code: 10007, message: "The specified key does not exist." },
  part_too_small: {
    status: 400,
    code: 10011,
    message: "A part of the upload is smaller than the minimum of 5 MiB.",
  },
  metadata_too_large: { status: 400, code: 10012, message: "The object's metadata is too large." },
  key_invalid: { status: 400, code: 10020, message: "The specified object name is not valid." },
  limit_invalid: { status: 400, code: 10022, message: "limit must be from 1 to 1000." },
  upload_unknown: {
    status: 400,
    code: 10024,
    message: "The specified multipart upload does not exist.",
  },
  part_unknown: {
    status: 400,
    code: 10025,
    message: "One or more of the specified parts could not be found.",
  },
  metadata_invalid: { status: 400, code: 10029, message: "Metadata missing or invalid." },
  condition_failed: {
    status: 412,
    code: 10031,
    message: "At least one of the pre-conditions you specified did not hold.",
  },
  checksum_mismatch: {
    status: 400,
    code: 10037,
    message: "The checksum you specified did not match what we received.",
  },
  range_invalid: { status: 416, code: 10039, message: "The requested range is not satisfiable." },
} as const;

/** A refusal that the binding understands; `object` goes with a failed condition of a read. */
export class R2Error extends Error {
  readonly status: number;
  readonly header: string;
  readonly object: ObjectRecord | undefined;

  constructor(reason: keyof typeof R2_ERRORS, object?: ObjectRecord) {
    const { status, code, message } = R2_ERRORS[reason];
    super(message);
    this.name = "R2Error";
    this.status = status;
    this.header = JSON.stringify({ version: 1, v4code: code, message });
    this.object = object;
  }
}
