// The property that makes back-ends exchangeable: random recordings, asked at random, answer the
// same from each of them and from a plain list that is filtered in memory.

import fc from "fast-check";
import { expect, test } from "vitest";
import { TelemetryManager } from "../../../clients/recording/index.ts";
import type {
  AggregationType,
  Event,
  EventQuery,
  Metric,
  MetricQuery,
  Query,
} from "../../../clients/recording/index.ts";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import type { Stage } from "./stage.ts";

export function sameAnswers(stages: readonly Stage[], runs: number): void {
  const names = stages.map((stage) => stage.name).join(" and ");
  test(`a list in memory and ${names} answer the same`, { timeout: PROPERTY_TIMEOUT_MS }, () =>
    fc.assert(
      fc.asyncProperty(
        recordings,
        fc.array(questions, { minLength: 1, maxLength: 4 }),
        async (told, asked) => {
          const managers = stages.map((stage) => new TelemetryManager(stage.fresh(LOUD)));
          for (const manager of managers) {
            for (const record of told) {
              if ("value" in record) manager.recordMetric(record);
              else manager.recordEvent(record);
            }
            await manager.flush();
          }
          for (const { events, metrics } of asked) {
            const wanted = [askEvents(told, events), askMetrics(told, metrics)];
            for (const manager of managers) {
              const found = [
                await manager.queryEvents(events),
                await manager.queryMetrics(metrics),
              ];
              expect(found).toEqual(wanted);
            }
          }
          for (const manager of managers) await manager.shutdown();
        },
      ),
      propertyRuns(runs),
    ),
  );
}

const LOUD = {
  onError: (error: Error) => {
    throw error;
  },
};

/** Few values, so that questions find something; and those that databases stumble over. */
const text = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "A",
    "[]",
    "{}",
    "",
    "ü 🚀",
    "'",
    '"',
    "\\",
    "a\nb",
    "%",
    "null",
    "1",
    "true",
    "$.a",
  ),
  fc.string({ unit: "grapheme", maxLength: 4 }).map((some) => some.replaceAll("\0", "")),
);
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b") },
  fc.constantFrom("a", "b", "a.b", "/", "~", "~1", "", '"', "\\", "$", "0", "é", "$.a", "#"),
  fc.string({ unit: "grapheme", maxLength: 3 }).map((some) => some.replaceAll("\0", "")),
);
const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.1, 1e-7, 1e21, 2 ** 53, 1e300, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((some) => (some === 0 ? 0 : some)),
);
const scalar = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "1", "null", "[]", 0, 1, 0.5, true, false, null) },
  text,
  number,
);
const attributes = fc.dictionary(
  key.filter((name) => name !== "__proto__"),
  fc.oneof(
    scalar,
    fc.array(scalar, { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a"), scalar, { maxKeys: 1 }),
  ),
  { maxKeys: 4 },
);
const wantedAttributes = fc.dictionary(
  key.filter((name) => name !== "__proto__"),
  scalar,
  { maxKeys: 1 },
);
const id = fc.constantFrom("t1", "t2", "550e8400-e29b-41d4-a716-446655440000");
const time = fc
  .oneof(
    fc.constantFrom(0, 1, 999, 1_767_225_600_000, 1_767_225_600_001, 253_402_300_799_999),
    fc.integer({ min: 1_767_225_600_000, max: 1_767_225_600_010 }),
  )
  .map((ms) => new Date(ms));
const aggregation = fc.constantFrom<AggregationType>("counter", "gauge", "histogram");

const event = fc.record<Event>({
  eventId: fc.uuid(),
  traceId: fc.option(id),
  spanId: fc.option(id),
  type: text,
  name: text,
  timestamp: time,
  attributes,
});
const metric = fc.record<Metric>({
  metricId: fc.uuid(),
  traceId: fc.option(id),
  name: text,
  value: number,
  unit: text,
  aggregationType: aggregation,
  timestamp: time,
  attributes,
});
const recordings = fc.array(fc.oneof(event, metric), { maxLength: 30 });

const optional = { requiredKeys: [] };
const common = {
  name: text,
  traceId: id,
  startTime: time,
  endTime: time,
  attributes: wantedAttributes,
  limit: fc.nat({ max: 5 }),
};
const questions = fc.record({
  events: fc.record({ ...common, eventType: text, spanId: id }, optional),
  metrics: fc.record({ ...common, aggregationType: aggregation }, optional),
});

type Told = readonly (Event | Metric)[];

function askEvents(told: Told, query: EventQuery): Event[] {
  const events = told.filter((record) => "eventId" in record);
  const found = events.filter(
    ({ type, spanId }) => fits(query.eventType, type) && fits(query.spanId, spanId),
  );
  return latestFirst(found, query);
}

function askMetrics(told: Told, query: MetricQuery): Metric[] {
  const metrics = told.filter((record) => "metricId" in record);
  const found = metrics.filter((record) => fits(query.aggregationType, record.aggregationType));
  return latestFirst(found, query);
}

function latestFirst<T extends Event | Metric>(records: readonly T[], query: Query): T[] {
  const { startTime, endTime, limit = records.length } = query;
  const found = records.filter(
    (record) =>
      fits(query.name, record.name) &&
      fits(query.traceId, record.traceId) &&
      (startTime === undefined || record.timestamp >= startTime) &&
      (endTime === undefined || record.timestamp <= endTime) &&
      Object.entries(query.attributes ?? {}).every(
        ([name, value]) =>
          Object.hasOwn(record.attributes, name) && record.attributes[name] === value,
      ),
  );
  // The sort is stable: what has one time stays in the order of recording, and that is turned, too.
  return found
    .toReversed()
    .toSorted((a, b) => b.timestamp.getTime() - a.timestamp.getTime())
    .slice(0, limit);
}

function fits(wanted: string | undefined, value: string | null): boolean {
  return wanted === undefined || wanted === value;
}
