// V8's inspector as workerd offers it: a list of targets over HTTP, one per Worker, and for each a
// WebSocket that speaks the Chrome DevTools Protocol
// (https://chromedevtools.github.io/devtools-protocol/v8/Profiler/).

export interface Target {
  /** The Worker's name. */
  readonly id: string;
  readonly webSocketDebuggerUrl: string;
}

/** As Profiler.stop answers, and as files of that kind are. */
export interface CpuProfile {
  /** The first one is the root. */
  readonly nodes: readonly ProfileNode[];
  /** The node of each sample, and the µs since the one before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly children?: readonly number[];
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
}

const SAMPLE_EVERY_US = 1_000;
/** What workerd runs in Workers of its own is not ours to profile. */
const OWN_TARGETS = new Set(["queues", "cron"]);

export async function targetsOf(port: number): Promise<Target[]> {
  const response = await fetch(`http://127.0.0.1:${port}/json`);
  const targets = (await response.json()) as Target[];
  return targets.filter(({ id }) => !OWN_TARGETS.has(id));
}

export async function takeProfile(
  { webSocketDebuggerUrl }: Target,
  forMs: number,
): Promise<CpuProfile> {
  const session = await Session.open(webSocketDebuggerUrl);
  try {
    await session.call("Profiler.enable");
    await session.call("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_US });
    await session.call("Profiler.start");
    await new Promise((resolve) => setTimeout(resolve, forMs));
    const { profile } = (await session.call("Profiler.stop")) as { profile: CpuProfile };
    return withIdle(profile);
  } finally {
    session.close();
  }
}

const IDLE = "(idle)";
const SAMPLE_US_MAX = 3 * SAMPLE_EVERY_US;

/**
 * A Worker is not sampled while its thread does something else, and V8 does not know that it was
 * idle: all that time would be that of the function that ran last. So it is made idle here.
 */
export function withIdle(profile: CpuProfile): CpuProfile {
  const [root, ...nodes] = profile.nodes;
  if (root === undefined) return profile;
  const id = Math.max(...profile.nodes.map((node) => node.id)) + 1;
  const callFrame = { ...root.callFrame, functionName: IDLE };
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  for (const [at, sample] of profile.samples.entries()) {
    let sinceUs = Math.max(0, profile.timeDeltas[at]!);
    if (sinceUs > SAMPLE_US_MAX) {
      samples.push(id);
      timeDeltas.push(SAMPLE_EVERY_US);
      sinceUs -= SAMPLE_EVERY_US;
    }
    samples.push(sample);
    timeDeltas.push(sinceUs);
  }
  const grown = { ...root, children: [...(root.children ?? []), id] };
  return { ...profile, nodes: [grown, ...nodes, { id, callFrame }], samples, timeDeltas };
}

interface BusyFunction {
  readonly name: string;
  /** File and line. */
  readonly place: string;
  /** Of the whole time, in the function itself and not in what it calls. */
  readonly share: number;
}

const RESTING = new Set([IDLE, "(root)"]);

/** A sample's time is that up to the next one. */
export function busiest({ nodes, samples, timeDeltas }: CpuProfile): {
  readonly busyShare: number;
  readonly functions: readonly BusyFunction[];
} {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spentUs = new Map<string, number>();
  let totalUs = 0;
  for (const [at, node] of samples.entries()) {
    const { functionName, url, lineNumber } = frames.get(node)!;
    const key = JSON.stringify([functionName || "(anonymous)", url, lineNumber + 1]);
    const lastsUs = timeDeltas[at + 1] ?? 0;
    spentUs.set(key, (spentUs.get(key) ?? 0) + lastsUs);
    totalUs += lastsUs;
  }
  const functions = [...spentUs].map(([key, us]) => {
    const [name, url, line] = JSON.parse(key) as [string, string, number];
    return {
      name,
      place: url === "" ? "" : `${url}:${line}`,
      share: totalUs === 0 ? 0 : us / totalUs,
    };
  });
  const busy = functions.filter(({ name }) => !RESTING.has(name));
  return {
    busyShare: busy.reduce((sum, { share }) => sum + share, 0),
    functions: busy.toSorted((a, b) => b.share - a.share),
  };
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

class Session {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;

  static async open(url: string): Promise<Session> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", () => reject(new Error(`${url} does not answer`)));
    });
    return new Session(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#settle(JSON.parse(String(data))));
    socket.addEventListener("close", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the inspector is gone"));
    });
  }

  call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer.promise;
  }

  close(): void {
    this.#socket.close();
  }

  #settle({ id, result, error }: Answer): void {
    if (id === undefined) return;
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(error.message));
  }
}
