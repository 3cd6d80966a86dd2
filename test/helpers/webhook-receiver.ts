// A receiver of webhooks: a real HTTP server that answers as a test says, and remembers what came.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { verifyWebhook } from "../../clients/client/verify-webhook.ts";

export interface ReceivedEvent {
  readonly id: string;
  readonly seq: number;
  readonly type: string;
  readonly tags: readonly string[];
  readonly value: unknown;
}

export interface Delivery {
  readonly webhookId: string;
  readonly body: string;
  readonly events: readonly ReceivedEvent[];
  /** What it was answered with; null: with nothing. */
  readonly status: number | null;
  readonly atMs: number;
}

type Answer =
  | number
  | "hang"
  | { readonly status: number; readonly headers: Record<string, string> };

export class WebhookReceiver {
  readonly deliveries: Delivery[] = [];
  /** Requests whose signature is wrong, and why. */
  readonly forged: string[] = [];
  secret = "";
  /** Asked for every request, with how many came before it. */
  answer: (count: number) => Answer = () => 204;
  readonly #server = createServer((request, response) => void this.#take(request, response));
  #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook?token=in-the-url`;
  }

  async start(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Events of the requests that it said yes to, in the order in which they came. */
  taken(): ReceivedEvent[] {
    return this.deliveries.filter(({ status }) => status === 204).flatMap(({ events }) => events);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString();
    let webhookId = "";
    try {
      ({ id: webhookId } = await verifyWebhook(request.headers, body, this.secret));
    } catch (error) {
      this.forged.push(String(error));
    }
    const answer = this.answer(this.deliveries.length);
    const { status, headers } =
      typeof answer === "object" ? answer : { status: answer, headers: {} };
    const { events } = (JSON.parse(body) as { data: { events: ReceivedEvent[] } }).data;
    const noted = status === "hang" ? null : status;
    this.deliveries.push({ webhookId, body, events, status: noted, atMs: Date.now() });
    if (status === "hang") return;
    response.writeHead(status, headers).end();
  }
}
