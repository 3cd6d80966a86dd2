// The routes of continuous queries, described: a part of openapi.ts.

const BODY = {
  "application/json": {
    name: "cpu_hourly",
    database: "default",
    source_measurement: "cpu",
    destination_measurement: "cpu_1h",
    query:
      "SELECT time_bucket(INTERVAL '1 hour', time) AS time, host, avg(load) AS load FROM cpu " +
      "WHERE time >= '{start_time}' AND time < '{end_time}' GROUP BY ALL",
    interval: "1h",
    is_active: true,
  },
};
const REFUSALS = {
  400: "a field is wrong; names it",
  404: "no such database, source or continuous query",
  409: "the name is taken, or the destination has rows of others",
};

/** By method and path, as in routes.ts. */
export const CONTINUOUS_QUERY_OPERATIONS = {
  "GET /api/v1/continuous_queries": {
    summary: "List the continuous queries of the databases that the token may read",
    query: { database: "one database" },
    answers: { 200: "a list" },
  },
  "POST /api/v1/continuous_queries": {
    summary: "Keep a measurement equal to a query over another one",
    body: BODY,
    answers: { 201: "the continuous query", ...REFUSALS },
  },
  "GET /api/v1/continuous_queries/:id": {
    summary: "One continuous query, and how its last execution went",
    answers: { 200: "the continuous query", 404: "no such continuous query" },
  },
  "PUT /api/v1/continuous_queries/:id": {
    summary: "Change a continuous query; what the body does not name stays as it is",
    body: BODY,
    answers: { 200: "the continuous query", ...REFUSALS },
  },
  "DELETE /api/v1/continuous_queries/:id": {
    summary: "Delete a continuous query; the rows that it made stay",
    answers: { 200: "deleted", 404: "no such continuous query" },
  },
  "POST /api/v1/continuous_queries/:id/execute": {
    summary: "Compute a stretch of time again, or without times what has changed",
    body: {
      "application/json": {
        start_time: "2026-01-01T00:00:00Z",
        end_time: "2026-01-08T00:00:00Z",
        dry_run: false,
      },
    },
    answers: {
      200: "done; how many rows were read and written",
      202: "it goes on",
      404: "no such continuous query",
      422: "the query failed, or gave rows that do not belong there",
    },
  },
  "GET /api/v1/continuous_queries/:id/executions": {
    summary: "Executions of a continuous query, the last one first",
    query: { limit: "so many; 50 when missing" },
    answers: { 200: "executions with rows read and written", 404: "no such continuous query" },
  },
};
