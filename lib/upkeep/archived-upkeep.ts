// What users change in a database's upkeep, each change with its event of the archive in one
// transaction. What a run or a timer does to the rows is not a change of these things.

import type { Archive } from "#lib/archive/archive.ts";
import { type Home, policyChange, rollupChange } from "./artifacts.ts";
import type { Policy, PolicyFields } from "./retention-tables.ts";
import type { Retention } from "./retention.ts";
import type { Rollup, RollupFields } from "./rollup-types.ts";
import type { Rollups } from "./rollups.ts";

interface ChangedUpkeep {
  readonly retention: Retention;
  readonly rollups: Rollups;
}

export class ArchivedUpkeep {
  readonly #retention: Retention;
  readonly #rollups: Rollups;
  readonly #archive: Pick<Archive, "record">;

  constructor({ retention, rollups }: ChangedUpkeep, archive: Pick<Archive, "record">) {
    this.#retention = retention;
    this.#rollups = rollups;
    this.#archive = archive;
  }

  createPolicy(home: Home, fields: PolicyFields): Policy {
    const work = () => this.#retention.create(fields);
    return this.#archive.record(work, (policy) => policyChange("create", policy, home));
  }

  updatePolicy(home: Home, policyId: number, change: Partial<PolicyFields>): Policy {
    const work = () => this.#retention.update(policyId, change);
    return this.#archive.record(work, (policy) => policyChange("update", policy, home));
  }

  removePolicy(home: Home, policyId: number): void {
    const change = policyChange("delete", this.#retention.find(policyId), home);
    this.#archive.record(
      () => this.#retention.remove(policyId),
      () => change,
    );
  }

  createRollup(home: Home, fields: RollupFields): Rollup {
    const work = () => this.#rollups.create(home.databaseId, fields);
    return this.#archive.record(work, (rollup) => this.#rollupChange("create", rollup, home));
  }

  updateRollup(home: Home, rollupId: number, fields: RollupFields): Rollup {
    const work = () => this.#rollups.update(rollupId, fields);
    return this.#archive.record(work, (rollup) => this.#rollupChange("update", rollup, home));
  }

  removeRollup(home: Home, rollupId: number): void {
    const change = this.#rollupChange("delete", this.#rollups.find(rollupId), home);
    this.#archive.record(
      () => this.#rollups.remove(rollupId),
      () => change,
    );
  }

  #rollupChange(action: "create" | "update" | "delete", rollup: Rollup, home: Home) {
    const [last] = this.#rollups.runs(rollup.rollupId, 1);
    return rollupChange(action, rollup, last, home);
  }
}
