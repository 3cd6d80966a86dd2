// A tiny server in front of a connection: `/metrics` for Prometheus, `/` for people.
//
//   /          the page that draws a metric; needs nothing from elsewhere
//   /metrics   Prometheus's text format
//   /series    every series: [{name, kind, labels}]
//   /plot      ?name=…&labels={…}&minutes=… : what the page draws
//
// For Node. It answers whoever reaches its port, so it listens to this machine alone unless told
// otherwise, and it only reads.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { MetricConnection } from "./metric-connection.ts";
import { METRICS_PAGE } from "./metrics-page.ts";
import { plotOf } from "./plot.ts";
import {
  type ExportedMetrics,
  PROMETHEUS_CONTENT_TYPE,
  prometheusText,
} from "./prometheus-text.ts";
import type { Labels } from "./series.ts";

export interface MetricsServerOptions {
  /** Any free one when missing. */
  readonly port?: number;
  readonly host?: string;
  readonly metrics?: ExportedMetrics;
}

export interface MetricsServer {
  readonly url: string;
  /** The connection stays open. */
  close(): Promise<void>;
}

/** Resolves when the server listens; rejects when it cannot. */
export async function serveMetrics(
  connection: MetricConnection,
  { port = 0, host = "127.0.0.1", metrics = {} }: MetricsServerOptions = {},
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    void answer(connection, metrics, request)
      .catch((error: unknown) => failure(error))
      .then((reply) => send(response, reply));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return { url: `http://${shown}:${address.port}`, close: () => closeServer(server) };
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function answer(
  connection: MetricConnection,
  metrics: ExportedMetrics,
  request: IncomingMessage,
): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://metrics");
  if (request.method !== "GET") return text(405, "only GET");
  switch (pathname) {
    case "/":
      return { status: 200, type: "text/html; charset=utf-8", body: METRICS_PAGE };
    case "/metrics": {
      const body = await prometheusText(connection, metrics);
      return { status: 200, type: PROMETHEUS_CONTENT_TYPE, body };
    }
    case "/series": {
      const series = await connection.series();
      return json(series.map(({ name, kind, labels }) => ({ name, kind, labels })));
    }
    case "/plot":
      return plot(connection, searchParams);
    default:
      return text(404, "there is /, /metrics, /series and /plot");
  }
}

async function plot(connection: MetricConnection, params: URLSearchParams): Promise<Reply> {
  const name = params.get("name");
  const minutes = Number(params.get("minutes") ?? Number.NaN);
  const labels = parsedLabels(params.get("labels") ?? "{}");
  if (name === null || labels === null || (params.has("minutes") && !(minutes > 0))) {
    return text(400, "name=…, and if wanted labels={…} and minutes=…, greater than 0");
  }
  const query = connection.query(name, { labels });
  const window = Number.isNaN(minutes) ? query.fromBeginning() : query.fromTimedelta({ minutes });
  return json(plotOf(await window.toTimestampsArray()));
}

function parsedLabels(source: string): Labels | null {
  try {
    const labels: unknown = JSON.parse(source);
    const isObject = typeof labels === "object" && labels !== null && !Array.isArray(labels);
    return isObject && Object.values(labels).every(isLabelValue) ? (labels as Labels) : null;
  } catch {
    return null;
  }
}

function isLabelValue(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

function failure(error: unknown): Reply {
  return text(500, error instanceof Error ? error.message : String(error));
}

function text(status: number, body: string): Reply {
  return { status, type: "text/plain; charset=utf-8", body: `${body}\n` };
}

function json(value: unknown): Reply {
  return { status: 200, type: "application/json", body: JSON.stringify(value) };
}

function send(response: ServerResponse, { status, type, body }: Reply): void {
  response.writeHead(status, {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy":
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self'",
  });
  response.end(body);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}
