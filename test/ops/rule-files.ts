// The rules and their tests, as they are in the files.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export const RULES_FOLDER = fileURLToPath(new URL("../../ops/prometheus/", import.meta.url));

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
export interface RuleTest {
  readonly name: string;
  readonly alert_rule_test: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }[];
}

export function rulesOf(file: "alerts.yml" | "recording.yml"): Rule[] {
  const { groups } = read(file) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export const TEST_FILES = readdirSync(`${RULES_FOLDER}tests`).toSorted();

export function testsOf(file: string): readonly RuleTest[] {
  return (read(`tests/${file}`) as { tests: RuleTest[] }).tests;
}

/** What recording rules make. */
export function recordedNames(): Set<string> {
  return new Set(rulesOf("recording.yml").map(({ record }) => record!));
}

function read(file: string): unknown {
  return parse(readFileSync(RULES_FOLDER + file, "utf8"));
}
