// The supervisor's line to the front door: what only the machine's owner may say to a server.
//
// A unix socket in the data folder, which is its owner's alone, leads to the front door's
// `HostLine` (workers/ingest/host-line.ts). No port and no route lead there.

import { request } from "node:http";
import type { MetricReport } from "#lib/telemetry/meter.ts";
import { HOST_SOCKET } from "./workerd-config.ts";

const TIMEOUT_MS = 2_000;

/** From now on /ready answers 503. False: nobody was there to hear it. */
export function tellToDrain(): Promise<boolean> {
  return post("/drain", "");
}

/** True: it is counted. Otherwise the same report is to be sent again. */
export function tellOfMachine(report: MetricReport): Promise<boolean> {
  return post("/report", JSON.stringify(report));
}

/** The working directory is the data folder. */
function post(path: string, body: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { socketPath: HOST_SOCKET, path, method: "POST", timeout: TIMEOUT_MS };
    const sent = request({ ...options, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 204);
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
    sent.on("error", () => resolve(false));
    sent.end(body);
  });
}
