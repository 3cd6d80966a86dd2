// The questions that the demo asks. Their SQL stands in sql/ as people write it: nothing there is
// adapted to us.
//
// Together they use all four pillars: windows relative to now, joins by time (also with the integer
// milliseconds of `duration_ms` added to a timestamp), percentiles, JSON paths, CTEs and unions.

import { readFileSync } from "node:fs";

export interface Question {
  readonly name: string;
  readonly question: string;
  readonly sql: string;
}

/** Name, question, file in sql/. */
const ASKED = [
  ["recent-events", "What happened in the last hour?", "01-find-recent-events"],
  ["events-by-type", "Which events come how often, and how many succeed?", "02-events-by-type"],
  ["failed-events", "What failed in the last hour?", "03-failed-events"],
  ["daily-revenue", "How much do we earn per day?", "04-business-metrics-from-events"],
  ["cpu-root-cause", "Why did CPU spike?", "05-events-metrics-root-cause-analysis"],
  [
    "deployment-errors",
    "What errors happened during this deployment?",
    "06-events-logs-error-context",
  ],
  [
    "deployment-latency",
    "How did this deployment affect request latency?",
    "07-events-traces-latency-impact",
  ],
  [
    "incident-all-pillars",
    "What happened around this incident, in all four pillars?",
    "08-complete-correlation-all-four-pillars",
  ],
  [
    "incident-timeline",
    "What were the errors of the outage of 2025-10-28?",
    "09-incident-response",
  ],
  [
    "deployment-analytics",
    "How often do we deploy, and how long does it take?",
    "10-deployment-analytics",
  ],
  ["password-guessing", "Whose password is somebody guessing?", "11-security-monitoring"],
  ["conversion-funnel", "How many sign-ups become subscriptions?", "12-business-analytics"],
] as const;

export const QUESTIONS: readonly Question[] = ASKED.map(([name, question, file]) => {
  const sql = readFileSync(new URL(`sql/${file}.sql`, import.meta.url), "utf8").trim();
  return { name, question, sql };
});
