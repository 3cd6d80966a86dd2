// A receiver of alerts: a real HTTP server that answers as a test says, checks the signature, and
// remembers what came.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { verifyWebhook } from "../../clients/client/verify-webhook.ts";

export interface AlertNotice {
  readonly webhookId: string;
  readonly body: string;
  readonly status: string;
  readonly alert: Readonly<Record<string, unknown>>;
  readonly alerts: readonly Readonly<Record<string, unknown>>[];
  /** What it was answered with. */
  readonly answered: number;
}

export class AlertReceiver {
  readonly notices: AlertNotice[] = [];
  /** Requests whose signature is wrong, and why. */
  readonly forged: string[] = [];
  secret = "";
  answer: (count: number) => number = () => 204;
  readonly #server = createServer((request, response) => void this.#take(request, response));

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/alerts`;
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

  reset(): void {
    this.notices.length = 0;
    this.forged.length = 0;
    this.answer = () => 204;
  }

  /** Statuses that it said yes to, each webhook once, in the order in which they came. */
  taken(): string[] {
    const yes = this.notices.filter(({ answered }) => answered === 204);
    return [...new Map(yes.map(({ webhookId, status }) => [webhookId, status])).values()];
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
    const { data } = JSON.parse(body) as { data: Omit<AlertNotice, "webhookId" | "body"> };
    const answered = this.answer(this.notices.length);
    this.notices.push({ ...data, webhookId, body, answered });
    response.writeHead(answered).end();
  }
}
