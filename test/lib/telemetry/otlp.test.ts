// OTLP's JSON form. The expected text is written out by hand from the specification; that a real
// collector reads it the same is what `npm run test:otlp` and test/e2e/tracing.test.ts show.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { LogRecord } from "#lib/telemetry/log-record.ts";
import { judgeOtlpAnswer } from "#lib/telemetry/otlp-answer.ts";
import { logsRequest, SERVICE_VERSION, tracesRequest } from "#lib/telemetry/otlp.ts";
import type { FinishedSpan } from "#lib/telemetry/span.ts";

const SPAN: FinishedSpan = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentSpanId: "53995c3f42cd8ad8",
  component: "query",
  name: "query",
  kind: "server",
  startUs: 1_763_000_000_123_456,
  endUs: 1_763_000_000_125_000,
  attributes: { "query.id": "q1", "query.rows": 12, "query.share": 0.5, "query.cached": true },
  error: "query_timeout",
  links: [{ traceId: "a".repeat(32), spanId: "b".repeat(16), isSampled: true }],
};

const LOG: LogRecord = {
  timeMs: 1_763_000_000_123,
  level: "warn",
  target: "sluice::query",
  message: "slow",
  fields: { rows: 3, files: ["a", "b"], nothing: null },
  traceId: SPAN.traceId,
  spanId: SPAN.spanId,
};

const RESOURCE = {
  attributes: [
    { key: "service.name", value: { stringValue: "sluice" } },
    { key: "service.version", value: { stringValue: SERVICE_VERSION } },
    { key: "deployment.environment", value: { stringValue: "production" } },
  ],
};

describe("OTLP", () => {
  test("a span: ids as hex, 64-bit integers as text, enums as numbers", () => {
    expect(JSON.parse(tracesRequest([SPAN], "production"))).toEqual({
      resourceSpans: [
        {
          resource: RESOURCE,
          scopeSpans: [
            {
              scope: { name: "sluice::query", version: SERVICE_VERSION },
              spans: [
                {
                  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
                  spanId: "00f067aa0ba902b7",
                  parentSpanId: "53995c3f42cd8ad8",
                  flags: 1,
                  name: "query",
                  kind: 2,
                  startTimeUnixNano: "1763000000123456000",
                  endTimeUnixNano: "1763000000125000000",
                  attributes: [
                    { key: "query.id", value: { stringValue: "q1" } },
                    { key: "query.rows", value: { intValue: "12" } },
                    { key: "query.share", value: { doubleValue: 0.5 } },
                    { key: "query.cached", value: { boolValue: true } },
                  ],
                  links: [{ traceId: "a".repeat(32), spanId: "b".repeat(16), flags: 1 }],
                  status: { code: 2, message: "query_timeout" },
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test("a log record with its severity and its trace", () => {
    expect(JSON.parse(logsRequest([LOG], "production"))).toEqual({
      resourceLogs: [
        {
          resource: RESOURCE,
          scopeLogs: [
            {
              scope: { name: "sluice::query", version: SERVICE_VERSION },
              logRecords: [
                {
                  timeUnixNano: "1763000000123000000",
                  observedTimeUnixNano: "1763000000123000000",
                  severityNumber: 13,
                  severityText: "WARN",
                  body: { stringValue: "slow" },
                  attributes: [
                    { key: "rows", value: { intValue: "3" } },
                    {
                      key: "files",
                      value: {
                        arrayValue: { values: [{ stringValue: "a" }, { stringValue: "b" }] },
                      },
                    },
                  ],
                  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
                  spanId: "00f067aa0ba902b7",
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test("each component is a scope; a root has no parent; no environment is none", () => {
    const root = { ...SPAN, component: "front-door", parentSpanId: null, error: null };
    const { resourceSpans } = JSON.parse(tracesRequest([SPAN, root, SPAN], ""));
    const [{ resource, scopeSpans }] = resourceSpans;
    expect(resource.attributes).toHaveLength(2);
    const scopes = scopeSpans.map((one: any) => [one.scope.name, one.spans.length]);
    expect(scopes).toEqual([
      ["sluice::query", 2],
      ["sluice::front-door", 1],
    ]);
    expect(scopeSpans[1].spans[0]).not.toHaveProperty("parentSpanId");
    expect(scopeSpans[1].spans[0].status).toEqual({});
  });

  test("the version is that of the package", () => {
    const path = new URL("../../../package.json", import.meta.url);
    expect(JSON.parse(readFileSync(path, "utf8")).version).toBe(SERVICE_VERSION);
  });
});

describe("a collector's answer", () => {
  const judge = (status: number, retryAfter: string | null = null, body = "") =>
    judgeOtlpAnswer(status, retryAfter, body, Date.UTC(2026, 0, 1));

  test("is a success, whole or in part", () => {
    expect(judge(200)).toEqual({ kind: "taken", rejectedCount: 0 });
    expect(judge(202, null, "{}")).toEqual({ kind: "taken", rejectedCount: 0 });
    const partial = '{"partialSuccess":{"rejectedSpans":"7","errorMessage":"too old"}}';
    expect(judge(200, null, partial)).toEqual({ kind: "taken", rejectedCount: 7 });
    const logs = '{"partialSuccess":{"rejectedLogRecords":2}}';
    expect(judge(200, null, logs)).toEqual({ kind: "taken", rejectedCount: 2 });
    for (const odd of ["null", "[]", '{"partialSuccess":{"rejectedSpans":"x"}}', "\u0008"]) {
      expect(judge(200, null, odd)).toEqual({ kind: "taken", rejectedCount: 0 });
    }
  });

  test.each([429, 502, 503, 504])("%d means later", (status) => {
    expect(judge(status)).toEqual({ kind: "later", waitMs: null });
    expect(judge(status, "3")).toEqual({ kind: "later", waitMs: 3_000 });
    const date = "Thu, 01 Jan 2026 00:00:10 GMT";
    expect(judge(status, date)).toEqual({ kind: "later", waitMs: 10_000 });
    expect(judge(status, "soon")).toEqual({ kind: "later", waitMs: null });
  });

  test.each([301, 400, 401, 404, 413, 500, 501])("%d means never", (status) => {
    expect(judge(status, "3")).toEqual({ kind: "refused" });
  });
});
