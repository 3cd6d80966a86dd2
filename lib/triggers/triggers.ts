// Triggers of one database: others act on its events, by a request to a URL of theirs.
//
// This is what users make and change, each change with its event of the archive in one transaction;
// how events get to the URLs: delivery.ts. A new trigger is about events that come after it; one
// that was disabled and is enabled again goes on where it stopped.
//
// Refuses a name that is taken, and more triggers than LIMITS.triggersPerDatabaseMax.
// Shell: durable-objects/event-stream.ts.

import { SluiceError } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import type { StoredEvent } from "#lib/events/types.ts";
import { triggerChange } from "./artifacts.ts";
import { Delivery, type DeliveryPorts } from "./delivery.ts";
import { RecentEvents } from "./recent-events.ts";
import { openTriggerTables, type TriggerTables } from "./trigger-tables.ts";
import type { Home, Trigger, TriggerFields } from "./types.ts";

export class Triggers {
  readonly #ports: DeliveryPorts;
  readonly #tables: TriggerTables;
  readonly #recent: RecentEvents;
  readonly #delivery: Delivery;
  #enabledIds: number[] = [];

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
    this.#tables = openTriggerTables(ports.store);
    this.#recent = new RecentEvents(ports.position());
    this.#delivery = new Delivery(ports, this.#tables, this.#recent);
    this.#lookUpEnabled();
    this.#delivery.arm();
  }

  list(): Trigger[] {
    return this.#tables.triggers().map((trigger) => this.#asItIs(trigger));
  }

  /** Throws `trigger_unknown`. */
  find(triggerId: number): Trigger {
    const trigger = this.#tables.trigger(triggerId);
    if (trigger !== null) return this.#asItIs(trigger);
    const message = `Trigger ${triggerId} not found`;
    throw new SluiceError("trigger_unknown", message, { id: triggerId });
  }

  /** Throws `trigger_exists`, `parameter_invalid`. */
  create(home: Home, fields: TriggerFields, secret: string): Trigger {
    this.#demandFree(fields.name, null);
    const limit = LIMITS.triggersPerDatabaseMax;
    if (this.#tables.triggers().length >= limit) {
      const message = `a database has ${limit} triggers at most`;
      throw new SluiceError("parameter_invalid", message, { limit });
    }
    const { archive, clock, position } = this.#ports;
    const work = () => {
      this.#tables.noteHome(home);
      return this.find(this.#tables.insert(fields, secret, position(), clock.nowMs()));
    };
    const created = archive.record(work, (trigger) => triggerChange("create", trigger, home));
    this.#lookUpEnabled();
    return created;
  }

  /** What `change` does not name stays; `secret` null: it, too. Throws as `create` and `find`. */
  update(
    home: Home,
    triggerId: number,
    change: Partial<TriggerFields>,
    secret: string | null,
  ): Trigger {
    const before = this.find(triggerId);
    const fields = { ...before, ...change };
    this.#demandFree(fields.name, triggerId);
    const work = () => {
      // Never the same moment twice: a delivery tells by it that the trigger is another now.
      const nowMs = Math.max(this.#ports.clock.nowMs(), before.updatedMs + 1);
      const key = secret ?? this.#tables.secretOf(triggerId);
      this.#tables.update(triggerId, fields, key, nowMs);
      return this.find(triggerId);
    };
    const isRotated = secret !== null;
    const updated = this.#ports.archive.record(work, (trigger) => {
      const noted = triggerChange("update", trigger, home);
      return isRotated ? { ...noted, isRotated } : noted;
    });
    this.#lookUpEnabled();
    this.wake();
    return updated;
  }

  /** Throws `trigger_unknown`. */
  remove(home: Home, triggerId: number): void {
    const change = triggerChange("delete", this.find(triggerId), home);
    this.#ports.archive.record(
      () => this.#tables.remove(triggerId),
      () => change,
    );
    this.#lookUpEnabled();
  }

  /** The database is dropped, and whatever is stored here is about to go with it. */
  stop(): void {
    this.#delivery.stop();
    this.#enabledIds = [];
  }

  /**
   * Events were stored; none: some may have been, and nobody knows which. `position`: the stream's
   * after them. Returns at once.
   */
  onEvents(events: readonly StoredEvent[], position: number): void {
    const isOfUse = this.#enabledIds.length > 0 && events.length > 0;
    if (isOfUse) this.#recent.add(events, position);
    else this.#recent.clear(position);
    this.wake();
  }

  /** Returns at once: deliveries may take as long as there are events. */
  onAlarm(): void {
    this.wake();
    this.#delivery.arm();
  }

  /** A poke, in case an alarm was lost. */
  wake(): void {
    for (const triggerId of this.#enabledIds) this.#delivery.wake(triggerId);
  }

  #asItIs(trigger: Trigger): Trigger {
    return { ...trigger, cursorSeq: this.#delivery.cursorOf(trigger) };
  }

  #lookUpEnabled(): void {
    const enabled = this.#tables.triggers().filter(({ isEnabled }) => isEnabled);
    this.#enabledIds = enabled.map(({ triggerId }) => triggerId);
  }

  /** `ownId`: of the trigger that may have the name. */
  #demandFree(name: string, ownId: number | null): void {
    const taken = this.#tables.triggerIdOf(name);
    if (taken === null || taken === ownId) return;
    throw new SluiceError("trigger_exists", `a trigger named "${name}" exists already`, { name });
  }
}
