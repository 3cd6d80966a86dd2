// What rows say of label sets: values, labels, conditions, absence, and too many of them.

import { describe, expect, test } from "vitest";
import { judgeRun, type WatchingRule } from "#lib/alerts/judge-run.ts";
import { samplesOf } from "#lib/alerts/observe.ts";
import { parseRule } from "#lib/alerts/parse-rule.ts";
import type { AlertRows, Cell, CellKind, Instance } from "#lib/alerts/types.ts";
import { LIMITS } from "#lib/base/limits.ts";

const NOW = 1_750_000_000_000;

function ruleOf(fields: object = {}): WatchingRule {
  const condition = { operator: ">", threshold: 10 };
  const rule = { name: "r", kind: "condition", sql: "SELECT 1", condition, ...fields };
  const ids = { ruleId: 1, createdMs: NOW, updatedMs: NOW };
  return { ...parseRule(rule), ...ids } as WatchingRule;
}

function rowsOf(columns: Readonly<Record<string, CellKind>>, ...rows: Cell[][]): AlertRows {
  return { columns: Object.entries(columns).map(([name, kind]) => ({ name, kind })), rows };
}

const HOSTS = { host: "text", up: "text", value: "number", more: "number" } as const;

function judge(rule: WatchingRule, rows: AlertRows, instances: readonly Instance[] = []) {
  return judgeRun(rule, { instances, lastOkMs: NOW - rule.everyMs }, rows, NOW);
}

/** `host state value` of each. */
function shown(instances: readonly Instance[]): string[] {
  return instances
    .map(({ labels, state, value }) => `${labels["host"] ?? "-"} ${state} ${value}`)
    .sort();
}

describe("a condition", () => {
  test("is about the first number, for each set of texts", () => {
    const rows = rowsOf(HOSTS, ["a", "true", 11, 0], ["b", "true", 9, 99], ["c", null, null, 99]);
    const { instances, changed } = judge(ruleOf(), rows);
    expect(shown(instances)).toEqual(["a firing 11", "b ok 9"]);
    expect(instances[0]!.labels).toEqual({ host: "a", up: "true" });
    expect(changed.map(({ from, instance }) => [from, instance.state])).toEqual([["ok", "firing"]]);
  });

  test("holds for a label set if any of its rows meets it", () => {
    const rows = rowsOf(HOSTS, ["a", "x", 1, 0], ["a", "x", 50, 0], ["a", "x", 2, 0]);
    expect(shown(judge(ruleOf(), rows).instances)).toEqual(["a firing 50"]);
  });

  test.each([
    [">", 10, false],
    [">=", 10, true],
    ["<", 9, true],
    ["<=", 10, true],
    ["==", 10, true],
    ["!=", 10, false],
  ])("%s 10 of %d is %s", (operator, value, isMet) => {
    const rule = ruleOf({ condition: { operator, threshold: 10 } });
    const [instance] = judge(rule, rowsOf({ v: "number" }, [value])).instances;
    expect(instance!.state).toBe(isMet ? "firing" : "ok");
  });

  test("refuses an answer without a number, unless there is no answer at all", () => {
    const code = "alert_result_invalid";
    const rows = rowsOf({ host: "text" }, ["a"]);
    expect(() => judge(ruleOf(), rows)).toThrow(expect.objectContaining({ code }));
    expect(judge(ruleOf(), { columns: [], rows: [] }).instances).toEqual([]);
  });

  test("leaves out label sets beyond the limit, but none that it knows or that fires", () => {
    const count = LIMITS.alertInstancesMax;
    const calm = Array.from({ length: count }, (_, at): Cell[] => [`calm${at}`, "x", 0, 0]);
    const known = judge(ruleOf(), rowsOf(HOSTS, ["known", "x", 0, 0])).instances;
    const rows = rowsOf(HOSTS, ...calm, ["known", "x", 0, 0], ["hot", "x", 99, 0]);
    const { instances, leftOutCount } = judge(ruleOf(), rows, known);
    expect(instances).toHaveLength(count);
    expect(leftOutCount).toBe(2);
    expect(shown(instances)).toEqual(expect.arrayContaining(["known ok 0", "hot firing 99"]));
  });
});

describe("a label set that is missing", () => {
  const hot = judge(ruleOf(), rowsOf(HOSTS, ["a", "x", 50, 0], ["b", "x", 1, 0])).instances;
  const none = rowsOf(HOSTS);

  test.each([
    ["ok", ["a resolved null"]],
    ["keep", ["a firing null"]],
    ["firing", ["a firing null", "b firing null"]],
  ])("counts as the policy %s has it", (missing, states) => {
    expect(shown(judge(ruleOf({ missing }), none, hot).instances)).toEqual(states);
  });

  test("is forgotten once it is resolved", () => {
    const resolved = judge(ruleOf(), none, hot).instances;
    expect(judge(ruleOf(), none, resolved).instances).toEqual([]);
  });

  test("fires without a name when nothing was ever there, until something is", () => {
    const rule = ruleOf({ missing: "firing" });
    const silent = judge(rule, none).instances;
    expect(shown(silent)).toEqual(["- firing null"]);
    const back = judge(rule, rowsOf(HOSTS, ["a", "x", 1, 0]), silent).instances;
    expect(shown(back)).toEqual(["- resolved null", "a ok 1"]);
  });
});

describe("an anomaly", () => {
  const rule = ruleOf({ kind: "anomaly", anomaly: { bucket: "1h", season: "1d" } });
  const hour = 3_600_000;
  const last = Math.floor(NOW / hour) * hour - hour;
  const columns = { t: "time", host: "text", v: "number" } as const;
  const days = (values: readonly number[], host: string): Cell[][] =>
    values.map((value, day) => [last - (values.length - 1 - day) * 24 * hour, host, value]);

  test("is judged by the newest whole bucket of each label set", () => {
    const current: Cell[] = [last + hour, "calm", 9_999];
    const rows = [...days([10, 11, 9, 10, 10.2], "calm"), ...days([10, 11, 9, 10, 40], "hot")];
    const { instances } = judge(rule, rowsOf(columns, ...rows, current));
    expect(shown(instances)).toEqual(["calm ok 10.2", "hot firing 40"]);
    expect(instances[0]!.expected!.median).toBe(10);
  });

  test("is nothing while there is too little history, and missing when rows stop", () => {
    expect(shown(judge(rule, rowsOf(columns, ...days([1, 99], "new"))).instances)).toEqual([
      "new ok 99",
    ]);
    const old = days([10, 11, 9, 10, 40], "gone").map(([t, ...rest]): Cell[] => [
      (t as number) - 5 * hour,
      ...rest,
    ]);
    expect(judge(rule, rowsOf(columns, ...old)).instances).toEqual([]);
  });

  test("needs times", () => {
    const code = "alert_result_invalid";
    const rows = rowsOf({ v: "number" }, [1]);
    expect(() => judge(rule, rows)).toThrow(expect.objectContaining({ code }));
  });
});

test("samples are every number of every row, under its column and the row's texts", () => {
  const rows = rowsOf(HOSTS, ["a", "x", 1, 2], ["b", "x", 3, null]);
  const of = (host: string) => ({ host, up: "x" });
  expect(samplesOf(rows)).toEqual([
    { series: "value", labels: of("a"), value: 1 },
    { series: "more", labels: of("a"), value: 2 },
    { series: "value", labels: of("b"), value: 3 },
  ]);
});
