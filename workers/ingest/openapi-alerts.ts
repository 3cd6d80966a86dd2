// Alert rules in words, as openapi.ts has the rest.

const RULE = { 200: "the rule and the state of what it watches", 404: "no such rule" };
const RULE_BODY = {
  "application/json": {
    name: "errors of a service",
    database: "default",
    kind: "condition",
    sql:
      "SELECT service, count(*) AS errors FROM logs WHERE level = 'error' " +
      "AND time > now() - INTERVAL 5 MINUTE GROUP BY service",
    condition: { operator: ">", threshold: 100 },
    every: "1m",
    for: "5m",
    missing: "ok",
    severity: "critical",
    url: "https://example.org/hooks/sluice",
    repeat: "4h",
    enabled: true,
    labels: { team: "payments" },
    annotations: { runbook: "https://example.org/runbooks/errors" },
  },
};
const WRONG = { 400: "a field is wrong; names it", 409: "the name is taken" };

export const ALERT_OPERATIONS = {
  "GET /api/v1/alerts": {
    summary: "List the alert rules with their states, as a bare array",
    query: { database: "one database; all that the token administers when missing" },
    answers: { 200: "the rules" },
  },
  "POST /api/v1/alerts": {
    summary: "Make an alert rule, an anomaly alert, or a metric out of a query on a schedule",
    headers: { "x-arc-database": "the database, where the body names none" },
    body: RULE_BODY,
    answers: { ...WRONG, 201: "the rule, with its secret: it is not shown again" },
  },
  "GET /api/v1/alerts/:id": { summary: "One rule and what it knows", answers: RULE },
  "PUT /api/v1/alerts/:id": {
    summary: "Change a rule; what the body does not name stays as it is",
    body: RULE_BODY,
    answers: { ...RULE, ...WRONG },
  },
  "DELETE /api/v1/alerts/:id": {
    summary: "Delete a rule; what it fires is resolved, as an event",
    answers: { 200: "deleted", 404: "no such rule" },
  },
  "GET /api/v1/alerts/:id/history": {
    summary: "The events of a rule, the latest first",
    query: { limit: "events at most; 100 when missing, up to 1,000" },
    answers: { 200: "the events, as a bare array", 404: "no such rule" },
  },
  "POST /api/v1/alerts/:id/run": {
    summary: "Run a rule now; answers when it has run",
    answers: { ...RULE, 400: "the rule is not enabled" },
  },
  "POST /api/v1/alerts/:id/silence": {
    summary: "Send no webhooks for new alerts of the rule until then; events go on",
    body: { "application/json": { until: "2026-01-02T03:04:05Z" } },
    answers: { ...RULE, 400: "a field is wrong; names it" },
  },
};
