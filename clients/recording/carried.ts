// The span that the running code is part of, carried through awaits, so that a span which begins
// inside another one knows its parent without being told.
//
// Node and Workers (with nodejs_compat) carry it by AsyncLocalStorage. Browsers have nothing of the
// kind: there a parent is given by hand, and a span without one begins a trace.

export interface CarriedSpan {
  readonly traceId: string;
  readonly spanId: string;
}

export function carriedSpan(): CarriedSpan | undefined {
  return storage?.getStore();
}

/** Runs `run` as part of the span. */
export function carry<T>(span: CarriedSpan, run: () => T): T {
  return storage === undefined ? run() : storage.run(span, run);
}

/** Of AsyncLocalStorage, what is used of it: its types are not there in a browser's project. */
interface Storage {
  getStore(): CarriedSpan | undefined;
  run<T>(span: CarriedSpan, run: () => T): T;
}

const storage = openStorage();

/** getBuiltinModule and no import: a bundler for browsers would have to resolve that. */
function openStorage(): Storage | undefined {
  const hooks = globalThis.process?.getBuiltinModule?.("node:async_hooks");
  return hooks === undefined ? undefined : new hooks.AsyncLocalStorage<CarriedSpan>();
}
