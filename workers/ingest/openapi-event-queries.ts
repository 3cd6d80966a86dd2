// Questions about events, and correlation, in words, as openapi.ts has the rest.

const DATABASE = { "x-arc-database": "the database; `default` when missing" };

const MOMENT = "RFC 3339, milliseconds since 1970, or date math such as now-1h/d; inclusive";

const EVENTS = {
  summary: "Events by tags, type and time, newest first, in pages; or summed up",
  headers: DATABASE,
  query: {
    database: "the database, before the header",
    tag: "an event must have it; repeated for several, of which it must have all",
    type: "the event's type",
    timestamp: `at that time; ${MOMENT}`,
    gte: `from then on; ${MOMENT}`,
    gt: "after then",
    lte: "until then, inclusive",
    lt: "before then",
    order: "desc (default) or asc, by time",
    per_page: "events on a page; 30 when missing",
    cursor: "`x-next-cursor` of the answer before: the page after it",
    page: "1 is the first; counted out anew each time",
    position: "`x-event-position` of an answer: leaves out what came after it",
    aggregator: "average, min, max, count, sum or percentiles",
    field: "the number within a value to sum up, such as times.total",
    percentiles: "such as 50,95,99",
    interval: "sum up by time, such as 5m",
    group_by: "type, tag, or tag:<group>: sum up by it",
  },
  body: {
    "application/json": { tags: ["metrics"], timestamp: { lte: "now" } },
  },
  answers: {
    200: "a list of events, or {value}, or {rows}",
    400: "a field is wrong; names it",
    422: "the page has too many bytes",
  },
};

const CORRELATE_ANSWERS = {
  200: "rows of events, metrics, logs and traces, and all in one line of time, newest first",
  400: "a field is wrong; names it",
  404: "no such database or measurement, or no row that meets the incident's conditions",
  422: "there is too much around it",
};

export const EVENT_QUERY_OPERATIONS = {
  "GET /api/v1/events": EVENTS,
  "QUERY /api/v1/events": EVENTS,
  "GET /api/v1/correlate": {
    summary: "Everything around a moment: events, metrics, logs and traces",
    headers: DATABASE,
    query: {
      database: "the database, before the header",
      around: `the moment; ${MOMENT}`,
      window: "so much to each side of it; 15m when missing",
      before: "so much before it, instead of window",
      after: "so much after it, instead of window",
      from: `the beginning, instead of around; ${MOMENT}`,
      to: "the end, with from; now when missing",
      trace_id: "of this trace, where a measurement knows traces",
      tag: "with this tag, where a measurement has tags or a column of the group's name",
      measurement: "of this measurement; repeated for several; all when missing",
      limit: "rows of each pillar; 1,000 when missing",
      notable: "true: errors, slow spans, metrics above 50, and all events",
    },
    answers: CORRELATE_ANSWERS,
  },
  "POST /api/v1/correlate": {
    summary: "The same, asked in a body; also around the last row that meets conditions",
    headers: DATABASE,
    body: {
      "application/json": {
        incident: {
          measurement: "system_events",
          where: { event_type: "health_check_failed", source: "api-gateway" },
        },
        before: "10m",
        after: "30m",
        notable: true,
      },
    },
    answers: CORRELATE_ANSWERS,
  },
} as const;
