// Requests at the front door, by route: how many, how they ended, how long they took.

import { counter, gauge, histogram, SECONDS_BUCKETS } from "#lib/telemetry/metric.ts";

export const requests = counter(
  "sluice_http_requests_total",
  "Requests answered, by route, method and HTTP status.",
  ["route", "method", "status"],
);
export const requestSeconds = histogram(
  "sluice_http_request_seconds",
  "Time from a request's arrival to the head of its answer.",
  SECONDS_BUCKETS,
  ["route"],
);
export const errors = counter(
  "sluice_http_errors_total",
  "Requests answered with an error, by route and code (docs/errors.md).",
  ["route", "code"],
);
export const requestBytes = counter(
  "sluice_http_request_bytes_total",
  "Request bodies as declared by Content-Length.",
  ["route"],
);
export const active = gauge("sluice_http_requests_active", "Requests that have no answer yet.");
export const authFailures = counter(
  "sluice_http_auth_failures_total",
  "Requests without a token that is known and allowed, by code.",
  ["code"],
);
export const ready = gauge(
  "sluice_ready",
  "Whether a write could be stored and flushed right now: 1 or 0.",
);
