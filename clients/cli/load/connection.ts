// One write request over a connection that is kept open, and how it ended.
//
// node:http rather than fetch: measured on loopback it takes a third of the client's CPU time for
// bodies of 150 kB and half of it for 2 kB, and the client shares the machine with the server.

import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

import type { Outcome } from "./open-loop.ts";

export interface LoadTarget {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string;
  readonly database: string;
}

export interface Connections {
  /** Never rejects: a broken connection is an outcome like any other. */
  send(body: Uint8Array, idempotencyKey: string): Promise<Outcome>;
  close(): void;
}

const ANSWER_MS_MAX = 60_000;

/**
 * Only what Arc's `POST /api/v1/write/msgpack` knows is sent, so that it can be measured as well.
 */
export function openConnections(target: LoadTarget, inFlightMax: number): Connections {
  const url = new URL(`${target.url}/api/v1/write/msgpack`);
  const isSecure = url.protocol === "https:";
  const settings = { keepAlive: true, maxSockets: inFlightMax, maxFreeSockets: inFlightMax };
  const agent = isSecure ? new HttpsAgent(settings) : new HttpAgent(settings);
  const request = isSecure ? httpsRequest : httpRequest;
  const headers = {
    authorization: `Bearer ${target.token}`,
    "content-type": "application/msgpack",
    "content-encoding": "gzip",
    "x-arc-database": target.database,
  };
  const send = (body: Uint8Array, idempotencyKey: string) =>
    new Promise<Outcome>((resolve) => {
      const post = request(url, {
        method: "POST",
        agent,
        timeout: ANSWER_MS_MAX,
        headers: { ...headers, "content-length": body.length, "idempotency-key": idempotencyKey },
      });
      post.on("response", (response) => {
        response.on("end", () =>
          resolve(outcomeOf(response.statusCode!, response.headers["retry-after"])),
        );
        response.on("error", (error) => resolve(brokenBy(error)));
        response.resume();
      });
      post.on("timeout", () => post.destroy(Object.assign(new Error(), { code: "timeout" })));
      post.on("error", (error) => resolve(brokenBy(error)));
      post.end(body);
    });
  return { send, close: () => agent.destroy() };
}

function outcomeOf(status: number, retryAfter: string | undefined): Outcome {
  const seconds = Number(retryAfter ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : null;
  const kind = `HTTP ${status}`;
  if (status >= 200 && status < 300) return { result: "acknowledged", kind, retryAfterMs };
  return { result: status < 500 ? "refused" : "unknown", kind, retryAfterMs };
}

function brokenBy(error: NodeJS.ErrnoException): Outcome {
  const kind = error.code ?? error.message;
  // Nobody listened: nothing can be stored. Any other end may have come after the commit.
  const result = kind === "ECONNREFUSED" || kind === "ENOTFOUND" ? "refused" : "unknown";
  return { result, kind, retryAfterMs: null };
}
