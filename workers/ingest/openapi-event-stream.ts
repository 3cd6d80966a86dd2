// Posting events and listening to them, in words, as openapi.ts has the rest.

const DATABASE = { "x-arc-database": "the database; `default` when missing" };
const DATABASE_QUERY = { database: "the database, before the header" };

export const EVENT_STREAM_OPERATIONS = {
  "POST /api/v1/events": {
    summary: "Store an event, or a list of them, and send them to whoever listens",
    query: DATABASE_QUERY,
    headers: {
      ...DATABASE,
      "Idempotency-Key": "the same key and events within 24 hours are stored once",
    },
    body: {
      "application/json": {
        type: "event",
        tags: ["deployments", "deployments:sava", "archiving", "archiving:create"],
        value: "name: sava",
        timestamp: "2015-04-21T09:15:42Z",
      },
    },
    answers: {
      201: "the events as they are stored, with id and place in the stream; durable",
      400: "not JSON",
      409: "the key was used with other events",
      413: "too many events or bytes",
      422: "an event is wrong; names it and the field",
      429: "too much waits to be stored; retry after the time given",
      503: "not known to be stored; retry with the same key",
    },
  },
  "GET /api/v1/events/stream": {
    summary: "Events as they are stored, as Server-Sent Events",
    query: {
      ...DATABASE_QUERY,
      tag: "an event must have it; repeated for several, of which it must have all",
      type: "the event's type",
      from: "now (default), or beginning: everything that is stored first",
      last_event_id: "as the header Last-Event-ID, which counts first",
    },
    headers: { ...DATABASE, "Last-Event-ID": "go on after this event, without a gap" },
    body: { "application/json": { tags: ["metrics"] } },
    answers: {
      200: "a stream of events",
      400: "a parameter is wrong; names it",
      404: "no such database",
      429: "too many listen to this stream",
    },
  },
  "GET /api/v1/events/stream/status": {
    summary: "Listeners of the stream, and where it is",
    query: DATABASE_QUERY,
    headers: DATABASE,
    answers: { 200: "clients, position, dropped_slow, hung_up, waiting_posts" },
  },
};
