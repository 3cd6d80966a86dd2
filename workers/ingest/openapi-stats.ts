// Statistics and Arc's metrics in words, for openapi.ts.

const WINDOW = {
  window_sec: "rates are over so many seconds; 60 when missing, 3600 at most",
  history_sec: "with a list of values each ten seconds, so far back; none when missing",
};
const NUMBERS = { 200: "numbers, by their names" };

export const STATS_OPERATIONS = {
  "GET /api/v1/metrics": { summary: "Counts under Arc's names", answers: NUMBERS },
  "GET /api/v1/metrics/memory": { summary: "Memory, in bytes", answers: NUMBERS },
  "GET /api/v1/metrics/endpoints": { summary: "Counts in groups", answers: NUMBERS },
  "GET /api/v1/metrics/query-pool": { summary: "Engines of queries", answers: NUMBERS },
  "GET /api/v1/metrics/timeseries/:type": {
    summary: "The last hour of one of: system, application, api",
    query: { duration_minutes: "so far back; 30 when missing, 60 at most" },
    answers: { 200: "points with their values", 400: "no such type" },
  },
  "GET /api/v1/stats/overview": {
    summary: "The system at a glance",
    query: WINDOW,
    answers: NUMBERS,
  },
  "GET /api/v1/stats/queries": { summary: "Queries by kind", query: WINDOW, answers: NUMBERS },
  "GET /api/v1/stats/streams": {
    summary: "Measurements and buffers of the databases that the token may read",
    query: WINDOW,
    answers: NUMBERS,
  },
  "GET /api/v1/stats/resources": {
    summary: "Processes, disk, lake and network",
    query: WINDOW,
    answers: NUMBERS,
  },
  "GET /api/v1/stats/costs": {
    summary: "What was done that Cloudflare bills, for whom, and its price",
    query: { database: "only of this database", token: "only of the token with this number" },
    answers: { 200: "operations, dollars, and what is not in them" },
  },
};
