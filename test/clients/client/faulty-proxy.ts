// A network between client and server that fails as it is told to.

import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

/**
 * `refuse`: the connection ends before the request reaches the server. `busy`: 503 with
 * Retry-After, not from the server. `cut`: the server has answered, and the connection ends
 * instead.
 */
export type Fault = "none" | "refuse" | "busy" | "cut";

export class FaultyProxy {
  readonly counts: Record<Fault, number> = { none: 0, refuse: 0, busy: 0, cut: 0 };
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `decide` is asked for each request. */
  static async open(target: () => string, decide: () => Fault): Promise<FaultyProxy> {
    const server = createServer((incoming, outgoing) => {
      const fault = decide();
      proxy.counts[fault]++;
      void proxy.#answer(fault, target(), incoming, outgoing);
    });
    const proxy = new FaultyProxy(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(
    fault: Fault,
    target: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    if (fault === "refuse") return void incoming.socket.destroy();
    if (fault === "busy") {
      incoming.resume();
      return void outgoing.writeHead(503, { "retry-after": "0" }).end("try again");
    }
    const { method, headers, url } = incoming;
    const onward = forward(target + url, { method: method!, headers });
    incoming.pipe(onward);
    try {
      const [answer] = (await once(onward, "response")) as [IncomingMessage];
      if (fault === "cut") {
        answer.resume();
        await once(answer, "end");
        return void incoming.socket.destroy();
      }
      outgoing.writeHead(answer.statusCode!, answer.headers);
      await pipeline(answer, outgoing);
    } catch {
      // The server is not there: to the client a connection that ends.
      incoming.socket.destroy();
    }
  }
}
