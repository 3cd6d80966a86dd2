// Serves buckets to workerd's R2 bindings: HTTP on a unix socket, one header naming the bucket.
//
// Runs in the supervisor, so on another core than the Workers. Who may open the socket may do
// everything, therefore it lies in the data folder, readable by its owner alone.

import { rmSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import {
  ERROR_HEADER,
  METADATA_SIZE_HEADER,
  R2Error,
  encodeListPage,
  encodeObject,
  readRequest,
} from "./protocol.ts";
import type { ByteRange, R2Request } from "./protocol.ts";
import type { ObjectStore } from "./store.ts";

export const BUCKET_HEADER = "sluice-bucket";

/** Values up to this size are read whole and sent with their metadata in one write. */
const SINGLE_READ_BYTES_MAX = 1 << 20;

/** Resolves when the socket takes connections. A socket left by a killed server is replaced. */
export function serveObjects(
  stores: ReadonlyMap<string, ObjectStore>,
  socketPath: string,
  onError: (error: unknown) => void,
): Promise<Server> {
  rmSync(socketPath, { force: true });
  // No timeouts: workerd is the only client, and it keeps its connections for later requests.
  const options = { keepAliveTimeout: 0, requestTimeout: 0 };
  const server = createServer(options, (request, response) => {
    answer(stores, request, response).catch((error: unknown) => {
      // A Worker may read half an object and leave; there is nobody to answer then.
      if (response.closed) return;
      if (!(error instanceof R2Error)) onError(error);
      refuse(response, error instanceof R2Error ? error : new R2Error("internal"));
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, () => resolve(server));
  });
}

async function answer(
  stores: ReadonlyMap<string, ObjectStore>,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bucket = String(message.headers[BUCKET_HEADER]);
  const store = stores.get(bucket);
  if (store === undefined) throw new Error(`no bucket ${bucket}`);
  const { request, value } = await readRequest(message);
  if (request.method === "get") {
    const { record, range, file } = await store.get(request);
    await sendObject(response, encodeObject(record, range), file, range);
  } else {
    send(response, 200, await carryOut(store, request, value));
  }
}

async function carryOut(
  store: ObjectStore,
  request: Exclude<R2Request, { method: "get" }>,
  value: AsyncIterable<Buffer>,
): Promise<Buffer> {
  switch (request.method) {
    case "head":
      return encodeObject(store.head(request.object));
    case "put":
      return encodeObject(await store.put(request, value));
    case "list":
      return encodeListPage(store.list(request), request.include ?? []);
    case "delete":
      await store.remove(request.objects ?? [request.object!]);
      return Buffer.alloc(0);
    case "createMultipartUpload":
      return Buffer.from(JSON.stringify({ uploadId: store.createUpload(request) }));
    case "uploadPart":
      return Buffer.from(JSON.stringify({ etag: await store.uploadPart(request, value) }));
    case "completeMultipartUpload":
      return encodeObject(await store.completeUpload(request));
    case "abortMultipartUpload":
      await store.abortUpload(request.uploadId);
      return Buffer.alloc(0);
  }
}

async function sendObject(
  response: ServerResponse,
  metadata: Buffer,
  file: FileHandle,
  range: ByteRange,
): Promise<void> {
  try {
    const { offset, length } = range;
    response.setHeader("content-length", metadata.byteLength + length);
    response.setHeader(METADATA_SIZE_HEADER, metadata.byteLength);
    if (length <= SINGLE_READ_BYTES_MAX) {
      const body = Buffer.allocUnsafe(metadata.byteLength + length);
      metadata.copy(body);
      const { bytesRead } = await file.read(body, metadata.byteLength, length, offset);
      if (bytesRead !== length) throw new Error("an object's file is shorter than its index says");
      response.end(body);
      return;
    }
    response.write(metadata);
    const options = { start: offset, end: offset + length - 1, highWaterMark: 1 << 20 };
    await pipeline(file.createReadStream({ ...options, autoClose: false }), response);
  } finally {
    await file.close();
  }
}

function send(response: ServerResponse, status: number, metadata: Buffer): void {
  response.writeHead(status, {
    "content-length": metadata.byteLength,
    [METADATA_SIZE_HEADER]: metadata.byteLength,
  });
  response.end(metadata);
}

function refuse(response: ServerResponse, error: R2Error): void {
  if (response.headersSent) {
    response.destroy(error);
    return;
  }
  response.setHeader(ERROR_HEADER, error.header);
  send(response, error.status, error.object ? encodeObject(error.object) : Buffer.alloc(0));
}
