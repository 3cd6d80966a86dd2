// JSON-RPC 2.0 (https://www.jsonrpc.org/specification) over anything that carries texts both ways,
// such as a WebSocket: requests, server notifications and connections are recorded.
//
// Refuses, in the protocol's own words: text that is no JSON, what is no request, unknown methods.
// Batches of requests are refused as well. What a method throws is told to the caller as its
// message alone.

import { messageOf } from "./active-span.ts";
import type { ActiveSpan } from "./active-span.ts";
import type { Attributes } from "./model.ts";
import { newUuid } from "./new-uuid.ts";
import { TelemetryManager } from "./telemetry.ts";

export type Method = (params: unknown, call: MethodCall) => unknown;

export interface MethodCall {
  readonly connection: RpcConnection;
  readonly traceId: string;
  readonly spanId: string;
}

interface Request {
  readonly method: string;
  readonly params: unknown;
  /** undefined for a notification: it gets no answer. */
  readonly id: string | number | null | undefined;
}

interface Outcome {
  readonly error: RpcError | null;
  /** The member `result` or `error`, as JSON: a result that JSON cannot say is an error. */
  readonly member: string;
}

interface RpcError {
  readonly code: number;
  readonly message: string;
}

export class RpcServer {
  readonly methods: Readonly<Record<string, Method>>;

  constructor({ methods }: { readonly methods: Readonly<Record<string, Method>> }) {
    this.methods = methods;
  }

  /** A client is there; `send` carries texts to it. */
  open(send: (text: string) => void): RpcConnection {
    return new RpcConnection(this, send);
  }
}

export class RpcConnection {
  readonly connectionId: string = newUuid();
  readonly #server: RpcServer;
  readonly #send: (text: string) => void;
  readonly #openedMs = performance.now();
  #requestCount = 0;
  #isClosed = false;

  constructor(server: RpcServer, send: (text: string) => void) {
    this.#server = server;
    this.#send = send;
    this.#record("rpc_connection_opened", "Connection Opened", {});
  }

  /** Answers one text of the client. Resolves when the answer is sent; never rejects. */
  async receive(text: string): Promise<void> {
    this.#requestCount += 1;
    const request = parseRequest(text);
    if ("code" in request) return this.#answer(null, failure(request));
    const { method, id } = request;
    const attributes = { rpc_method: method, rpc_id: id ?? null };
    const manager = TelemetryManager.getInstance();
    const span = manager.startSpan({ name: `rpc ${method}`, parentSpanId: null, attributes });
    this.#record("rpc_request_received", method, attributes, span);
    const outcome = await this.#call(request, span);
    const { error } = outcome;
    span.end(error === null ? "completed" : "failed", error?.message ?? null);
    this.#record(
      "rpc_request_completed",
      method,
      {
        ...attributes,
        status: error === null ? "completed" : "failed",
        duration: span.elapsed,
        error: error?.message,
        error_code: error?.code,
      },
      span,
    );
    if (id !== undefined) this.#answer(id, outcome);
  }

  /** Tells the client something that it did not ask for. */
  notify(method: string, params: unknown): void {
    if (!this.#sendText(JSON.stringify({ jsonrpc: "2.0", method, params }))) return;
    this.#record("rpc_notification_sent", method, { rpc_method: method });
  }

  /** The client is gone, or is to go. Only the first call counts. */
  close(reason = "closed"): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const duration = (performance.now() - this.#openedMs) / 1_000;
    const attributes = { reason, duration, request_count: this.#requestCount };
    this.#record("rpc_connection_closed", "Connection Closed", attributes);
  }

  async #call({ method, params }: Request, { traceId, spanId }: ActiveSpan): Promise<Outcome> {
    const { methods } = this.#server;
    const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (run === undefined) return failure({ code: -32_601, message: `no method ${method}` });
    try {
      const result = await run(params, { connection: this, traceId, spanId });
      return { error: null, member: `"result":${JSON.stringify(result) ?? "null"}` };
    } catch (error) {
      return failure({ code: -32_000, message: messageOf(error) });
    }
  }

  #answer(id: string | number | null, { member }: Outcome): void {
    this.#sendText(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},${member}}`);
  }

  /** False when the client has gone; one that cannot be sent to is taken for gone. */
  #sendText(text: string): boolean {
    if (this.#isClosed) return false;
    try {
      this.#send(text);
      return true;
    } catch (error) {
      this.close(messageOf(error));
      return false;
    }
  }

  #record(eventType: string, name: string, more: Attributes, span?: ActiveSpan): void {
    TelemetryManager.getInstance().recordEvent({
      eventType,
      name,
      traceId: span?.traceId,
      spanId: span?.spanId,
      attributes: { connection_id: this.connectionId, ...more },
    });
  }
}

function failure(error: RpcError): Outcome {
  return { error, member: `"error":${JSON.stringify(error)}` };
}

function parseRequest(text: string): Request | RpcError {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return { code: -32_700, message: "this is not JSON" };
  }
  const { method, params, id } = (message ?? {}) as Partial<Request>;
  if (typeof method !== "string") {
    return { code: -32_600, message: "this is not a request" };
  }
  return { method, params, id };
}
