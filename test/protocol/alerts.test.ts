// Promise: every change of an alert is one event, and its receiver hears of it, at least once and
// in order, whatever crashes, fails or jumps. `ALERT_SEED` repeats one run, `SIM_RUNS` tries more.

import { expect, test } from "vitest";
import { AlertWorld } from "../helpers/alert-world.ts";
import { PROPERTY_TIMEOUT_MS } from "../helpers/property.ts";

const { ALERT_SEED, SIM_RUNS = "60" } = process.env;
const SEEDS = ALERT_SEED === undefined ? [...Array(Number(SIM_RUNS)).keys()] : [+ALERT_SEED];
const STEPS = 60;

const RULE = {
  name: "hot",
  kind: "condition",
  sql: "SELECT host, value FROM it",
  condition: { operator: ">", threshold: 50 },
  every: "1m",
  url: "https://example.org/",
  repeat: "0s",
};

/** What may come after a state, as an event. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  new: ["pending", "firing"],
  ok: ["pending", "firing"],
  resolved: ["pending", "firing"],
  pending: ["firing", "ok"],
  firing: ["resolved"],
  error: ["ok"],
};

function byHost(lines: readonly string[]): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of lines) {
    const [host, state] = line.split(" ") as [string, string];
    hosts.set(host, [...(hosts.get(host) ?? []), state]);
  }
  return hosts;
}

async function live(seed: number, rule: object): Promise<AlertWorld> {
  const world = new AlertWorld(seed);
  const { deaths } = world;
  world.deaths = 0;
  world.create({ ...RULE, ...rule });
  world.deaths = deaths;
  for (let step = 0; step < STEPS; step++) {
    if (world.random() < 0.4) world.change();
    const pick = world.random();
    // Mostly a minute, at times hours at once, or back.
    await world.pass(pick < 0.9 ? 60_000 : pick < 0.95 ? 7_200_000 : -3_600_000);
    if (world.random() < 0.05) world.start();
  }
  await world.settle();
  return world;
}

test.each(["0s", "3m"])(
  "with `for` %s each change is one event and, where it is for others, one webhook",
  async (forText) => {
    let events = 0;
    for (const seed of SEEDS) {
      const why = `ALERT_SEED=${seed}`;
      const world = await live(seed, { for: forText });
      const { run, waitingCount } = world.alerts.list()[0]!;
      expect(waitingCount, why).toBe(0);
      expect(world.queriesMax, why).toBeLessThanOrEqual(1);
      const states = byHost([...world.stream.values()]);
      const told = byHost(
        [...world.taken.values()]
          .flat()
          .map(({ labels, state }) => `${labels.host ?? "rule"} ${state}`),
      );
      for (const [host, changes] of states) {
        const first = host === "rule" ? "ok" : "new";
        const allowed = host === "rule" ? { ...NEXT, ok: ["error"] } : NEXT;
        for (const [at, state] of changes.entries()) {
          expect(allowed[changes[at - 1] ?? first], why).toContain(state);
        }
        const loud = changes.filter((state) => host === "rule" || /firing|resolved/.test(state));
        expect(told.get(host) ?? [], `${why} ${host}`).toEqual(loud);
        events += changes.length;
      }
      expect(
        [...world.bodies.values()].every(({ size }) => size === 1),
        why,
      ).toBe(true);
      for (const [host, value] of world.truth) {
        const known = run.instances.find(({ labels }) => labels["host"] === host)!;
        expect(known.state === "firing", `${why} ${host}`).toBe(value > 50);
      }
    }
    // The runs are worth something only if much has happened in them.
    expect(events).toBeGreaterThan(SEEDS.length * 3);
  },
  PROPERTY_TIMEOUT_MS,
);
