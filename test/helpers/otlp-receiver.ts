// A collector as OTLP/HTTP describes it: a real HTTP server that answers as a test says, and keeps
// what came, decoded.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly scope: string;
  readonly name: string;
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly error: string | null;
}

export interface ReceivedLog {
  readonly scope: string;
  readonly severity: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly traceId: string | null;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Scoped<Item> {
  readonly resource: { readonly attributes: readonly KeyValue[] };
  readonly scopeSpans?: readonly { readonly scope: { name: string }; readonly spans: Item[] }[];
  readonly scopeLogs?: readonly { readonly scope: { name: string }; readonly logRecords: Item[] }[];
}

type Json = Readonly<Record<string, any>>;

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly logs: ReceivedLog[] = [];
  readonly requests: { readonly path: string; readonly headers: IncomingMessage["headers"] }[] = [];
  readonly resources: Readonly<Record<string, unknown>>[] = [];
  /** Everything that came, as text. */
  readonly texts: string[] = [];
  /** Asked for every request; a status of 200 takes what it brings. */
  answer: () => { status: number; headers?: Record<string, string> } = () => ({ status: 200 });
  readonly #server = createServer((request, response) => void this.#take(request, response));

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    this.requests.push({ path: request.url!, headers: request.headers });
    const { status, headers = {} } = this.answer();
    if (status === 200) this.#keep(request.url!, gunzipSync(body).toString());
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(status === 200 ? '{"partialSuccess":{}}' : "{}");
  }

  #keep(path: string, text: string): void {
    this.texts.push(text);
    const request = JSON.parse(text) as Json;
    const resources: Scoped<Json>[] =
      path === "/v1/traces" ? request["resourceSpans"] : request["resourceLogs"];
    for (const { resource, scopeSpans = [], scopeLogs = [] } of resources) {
      this.resources.push(valuesOf(resource.attributes));
      for (const { scope, spans } of scopeSpans) {
        this.spans.push(...spans.map((span) => spanOf(scope.name, span)));
      }
      for (const { scope, logRecords } of scopeLogs) {
        this.logs.push(...logRecords.map((record) => logOf(scope.name, record)));
      }
    }
  }
}

function spanOf(scope: string, span: Json): ReceivedSpan {
  return {
    scope,
    traceId: span["traceId"],
    spanId: span["spanId"],
    parentSpanId: span["parentSpanId"] ?? null,
    name: span["name"],
    kind: span["kind"],
    startNs: BigInt(span["startTimeUnixNano"]),
    endNs: BigInt(span["endTimeUnixNano"]),
    attributes: valuesOf(span["attributes"]),
    error: span["status"].code === 2 ? span["status"].message : null,
  };
}

function logOf(scope: string, record: Json): ReceivedLog {
  return {
    scope,
    severity: record["severityText"],
    body: record["body"].stringValue,
    attributes: valuesOf(record["attributes"]),
    traceId: record["traceId"] ?? null,
  };
}

function valuesOf(pairs: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => {
      if ("intValue" in value) return [key, Number(value["intValue"])];
      return [key, Object.values(value)[0]];
    }),
  );
}
