// Server-Sent Events as text.
//
// A message ends with an empty line and no line of it can be left open, so that messages may be
// written one after the other and cut between any two. A line with a colon in front is a comment:
// it keeps the connection busy, so that both sides learn when it is gone.
//
// Format: WHATWG HTML, "Server-sent events".

export interface SseMessage {
  /** What the client sends as Last-Event-ID when it comes again. No line breaks. */
  readonly id?: string;
  /** The kind; "message" when missing. */
  readonly event?: string;
  /** A message without data is not shown to the reader, but its id counts. */
  readonly data?: string;
}

export const SSE_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  // Reverse proxies that would gather the answer before they pass it on.
  "x-accel-buffering": "no",
} as const;

export const SSE_HEARTBEAT = ": heartbeat\n\n";

export function sseMessage({ id, event, data }: SseMessage): string {
  let text = "";
  if (id !== undefined) text += `id: ${id}\n`;
  if (event !== undefined) text += `event: ${event}\n`;
  if (data !== undefined) text += `data: ${data.replaceAll(LINE_BREAK, "\ndata: ")}\n`;
  return `${text}\n`;
}

/** How long a client waits before it comes again. */
export function sseRetry(ms: number): string {
  return `retry: ${ms}\n\n`;
}

/**
 * Where the client was: the header, or for clients that cannot set one `?last_event_id=`. null: it
 * comes for the first time.
 */
export function lastEventIdOf({ headers, url }: Request): string | null {
  return headers.get("last-event-id") || new URL(url).searchParams.get("last_event_id") || null;
}

const LINE_BREAK = /\r\n|\r|\n/g;
