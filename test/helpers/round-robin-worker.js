// Hands each request to the next of several front doors, as a network does that has many machines.

import { WorkerEntrypoint } from "cloudflare:workers";

let count = 0;

export default {
  fetch(request, env) {
    const doors = Object.values(env);
    return doors[count++ % doors.length].fetch(request);
  },
};

/** The supervisor's line to the first Worker. Here there is no supervisor. */
export class HostLine extends WorkerEntrypoint {
  fetch() {
    return new Response(null, { status: 404 });
  }
}
