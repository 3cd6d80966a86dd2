// Batches over RPC: headers as values, and the bodies too while they fit. A value may not be larger
// than 32 MiB, so beyond half of that all bodies become one byte stream, which is slower.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { BatchHeader, BatchRun } from "#lib/buffer/types.ts";

export interface StreamedRun {
  readonly headers: readonly BatchHeader[];
  readonly bodies: readonly Uint8Array[] | ReadableStream<Uint8Array>;
}

const VALUE_BYTES_MAX = LIMITS.rpcValueBytesMax / 2;

export function toStreamedRun(run: BatchRun): StreamedRun {
  const byteLength = run.headers.reduce((sum, header) => sum + header.byteLength, 0);
  if (byteLength <= VALUE_BYTES_MAX) return run;
  let next = 0;
  const bodies = new ReadableStream({
    type: "bytes",
    pull(controller) {
      // An empty chunk is not allowed in a byte stream, and no body is empty.
      if (next < run.bodies.length) controller.enqueue(run.bodies[next++]!);
      else controller.close();
    },
  });
  return { headers: run.headers, bodies };
}

/** Throws `buffer_unavailable` when the stream ends early: its object was reset meanwhile. */
export async function fromStreamedRun({ headers, bodies }: StreamedRun): Promise<BatchRun> {
  if (!(bodies instanceof ReadableStream)) return { headers, bodies };
  const chunks = bodies[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  const take = async (byteLength: number): Promise<Uint8Array> => {
    if (rest.byteLength >= byteLength) {
      const taken = rest.subarray(0, byteLength);
      rest = rest.subarray(byteLength);
      return taken;
    }
    const whole = new Uint8Array(byteLength);
    let at = 0;
    for (;;) {
      const part = rest.subarray(0, byteLength - at);
      whole.set(part, at);
      at += part.byteLength;
      rest = rest.subarray(part.byteLength);
      if (at === byteLength) return whole;
      const { value, done } = await chunks.next();
      if (done) throw new SluiceError("buffer_unavailable", "the buffer's stream ended early");
      rest = value;
    }
  };
  const taken: Uint8Array[] = [];
  for (const header of headers) taken.push(await take(header.byteLength));
  // Read to the end, or the sender waits for a reader that is gone.
  await chunks.next();
  return { headers, bodies: taken };
}
