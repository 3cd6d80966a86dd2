// The rules for Prometheus: they speak of what there is, say what to do, and are tested one by one.

import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { faultsOf } from "./promql.ts";
import { recordedNames, RULES_FOLDER, rulesOf, TEST_FILES, testsOf } from "./rule-files.ts";

const ALERTS = rulesOf("alerts.yml");
const RECORDED = recordedNames();
const RUNBOOKS = readFileSync(new URL("../../docs/runbooks.md", import.meta.url), "utf8");

describe("rules", () => {
  test.each([...ALERTS, ...rulesOf("recording.yml")])(
    "$alert$record speaks of metrics that there are, with their labels and of their kind",
    ({ expr }) => {
      expect(faultsOf(expr, RECORDED)).toEqual([]);
    },
  );

  test("would be found out if they did not", () => {
    const faults = (expression: string) => faultsOf(expression, RECORDED);
    expect(faults("rate(sluice_nothing_total[5m])")).toHaveLength(1);
    expect(faults('rate(sluice_http_requests_total{token="a"}[5m])')).toHaveLength(1);
    expect(faults("sum by (kind) (rate(sluice_http_requests_total[5m]))")).toHaveLength(1);
    expect(faults("rate(sluice_buffer_bytes[5m])")).toHaveLength(1);
    expect(faults("delta(sluice_http_requests_total[5m])")).toHaveLength(1);
    expect(faults("sum(sluice_query_seconds)")).toHaveLength(1);
    expect(() => faults("sum(up")).toThrow("no PromQL");
  });
});

describe("alerts", () => {
  test("have names of their own", () => {
    const names = ALERTS.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(ALERTS)("$alert says how bad it is, what it is, and what to do", (rule) => {
    expect(rule.labels!["severity"]).toMatch(/^(?:critical|warning|info)$/);
    const { summary, description, runbook, runbook_url: url } = rule.annotations!;
    expect(summary).toMatch(/\w/);
    expect(description).toMatch(/\w/);
    expect(runbook).toBe(`docs/runbooks.md#${rule.alert!.toLowerCase()}`);
    expect(url).toBe(`{{ $externalLabels.runbook_base }}${runbook}`);
    expect(RUNBOOKS).toContain(`\n### ${rule.alert}\n`);
  });

  test.each(ALERTS)(
    "$alert has a test that it fires, and one that it stays silent",
    ({ alert }) => {
      const own = TEST_FILES.flatMap((file) => testsOf(file))
        .flatMap((one) => one.alert_rule_test)
        .filter(({ alertname }) => alertname === alert)
        .map(({ exp_alerts: expected }) => expected.length > 0);
      expect(own.toSorted()).toEqual([false, true]);
    },
  );

  test("the runbooks speak of no others", () => {
    const headings = [...RUNBOOKS.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!);
    expect(headings.toSorted()).toEqual(ALERTS.map(({ alert }) => alert!).toSorted());
  });
});

const WHY = "promtool is not on the PATH; Debian and Ubuntu: apt install prometheus";
const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;

describe("promtool", () => {
  /** What it says; rejects when it finds a fault. */
  async function promtool(...args: string[]): Promise<string> {
    return (await promisify(execFile)("promtool", args, { cwd: RULES_FOLDER })).stdout;
  }

  test("takes every rule", async ({ skip }) => {
    skip(!hasPromtool, WHY);
    const output = await promtool("check", "rules", "alerts.yml", "recording.yml");
    expect(output).toContain(`SUCCESS: ${ALERTS.length} rules found`);
  });

  test.concurrent.for(TEST_FILES)("passes every test of %s", async (file, { skip, expect }) => {
    skip(!hasPromtool, WHY);
    expect(await promtool("test", "rules", `tests/${file}`)).toContain("SUCCESS");
  });
});
