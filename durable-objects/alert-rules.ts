// The shell of a database's alert rules round lib/alerts/alerts.ts, where the thinking is. One
// object per database, named `<databaseId>`.
//
// What rules tell goes two ways from one outbox: changes of rules to the archive in `default`, as
// those of everything else, and alerts to the stream of the rules' own database, where whoever may
// read that database sees them and its triggers act on them.

import { DurableObject } from "cloudflare:workers";
import { Alerts } from "#lib/alerts/alerts.ts";
import type { ShownRule } from "#lib/alerts/artifacts.ts";
import type { AlertReport } from "#lib/alerts/runs.ts";
import type { Home } from "#lib/alerts/types.ts";
import { Archive } from "#lib/archive/archive.ts";
import type { OutboxEvent } from "#lib/archive/archive-tables.ts";
import { asRefusal, isRefusal, orRefusal, orRefusalLater, type Refusal } from "#lib/base/errors.ts";
import { LIMITS } from "#lib/base/limits.ts";
import { SharedAlarm } from "#lib/base/shared-alarm.ts";
import type { JsonObject } from "#lib/http/json-body.ts";
import type { FamilyValues } from "#lib/telemetry/hub.ts";
import { alertPorts } from "#platform/alert-ports.ts";
import { archivePorts, lateAfter } from "#platform/archive-ports.ts";
import { sleep } from "#platform/clock.ts";
import { alarm, sqlStore } from "#platform/durable-storage.ts";
import { createLog } from "#platform/log.ts";
import { postEvents } from "#platform/post-events.ts";
import { goOnInObject, reportSoon } from "#platform/telemetry.ts";
import { alertGauges, tellOfAlerts } from "./alert-telemetry.ts";

export class AlertRules extends DurableObject<IngestEnv> {
  readonly #alerts: Alerts;
  readonly #archive: Archive;
  readonly #alarm: SharedAlarm;
  #isErased = false;

  constructor(ctx: DurableObjectState, env: IngestEnv) {
    super(ctx, env);
    const store = sqlStore(ctx.storage);
    this.#alarm = new SharedAlarm(alarm(ctx.storage));
    const ports = archivePorts("alert-rules", store, this.#alarm.of("archive"), env);
    const post = (event: OutboxEvent) => this.#post(event, ports.post);
    this.#archive = new Archive({ ...ports, post });
    const report = (event: AlertReport) => this.#report(event);
    this.#alerts = new Alerts({
      ...alertPorts(store, this.#archive, report, env),
      alarm: this.#alarm.of("alerts"),
    });
  }

  async list(): Promise<ShownRule[]> {
    return this.#alerts.list();
  }

  async find(ruleId: number): Promise<ShownRule | Refusal> {
    return orRefusal(() => this.#alerts.find(ruleId));
  }

  /** `body`: the rule as JSON text, in the shape of the API. */
  async create(home: Home, body: string, secret: string): Promise<ShownRule | Refusal> {
    return this.#told(orRefusal(() => this.#alerts.create(home, fields(body), secret)));
  }

  /** `secret` null: it stays. */
  async update(
    home: Home,
    ruleId: number,
    body: string,
    secret: string | null,
  ): Promise<ShownRule | Refusal> {
    return this.#told(orRefusal(() => this.#alerts.update(home, ruleId, fields(body), secret)));
  }

  async remove(home: Home, ruleId: number): Promise<Refusal | null> {
    return this.#told(asRefusal(() => this.#alerts.remove(home, ruleId)));
  }

  async silence(home: Home, ruleId: number, untilMs: number | null): Promise<ShownRule | Refusal> {
    return this.#told(orRefusal(() => this.#alerts.silence(home, ruleId, untilMs)));
  }

  /** Resolves when the rule has run, and its events are in the stream if that did not take long. */
  async run(ruleId: number): Promise<ShownRule | Refusal> {
    return this.#told(await orRefusalLater(() => this.#alerts.run(ruleId)));
  }

  async gauges(): Promise<FamilyValues[]> {
    return alertGauges(this.#alerts.gauges());
  }

  /** A poke from the sweep: what a lost alarm has left goes on. */
  async wake(): Promise<void> {
    this.#alerts.wake();
    this.#archive.arm();
  }

  override async alarm(): Promise<void> {
    this.#alarm.noteRung();
    this.#alerts.wake();
    await this.#archive.onAlarm();
  }

  /**
   * The database is dropped. Throws while the archive has not heard of the rules' changes: whoever
   * drops the database asks again. Alerts go with the stream that they were for.
   */
  async erase(): Promise<void> {
    this.#isErased = true;
    this.#alerts.stop();
    await this.#archive.deliver();
    this.#archive.demandEmpty();
    await this.ctx.storage.deleteAll();
  }

  async #post(event: OutboxEvent, toArchive: (event: OutboxEvent) => Promise<void>) {
    if (event.type !== "alert") return toArchive(event);
    const home = this.#isErased ? null : this.#alerts.home();
    if (home === null) return;
    const posted = postEvents(home, event.id, [event], this.env.EVENT_STREAM);
    await Promise.race([posted, lateAfter(LIMITS.archivePostTimeoutMs)]);
  }

  /** After a change: its event is delivered before the answer, if that does not take long. */
  async #told<T>(result: T): Promise<T> {
    if (!isRefusal(result)) {
      await Promise.race([this.#archive.deliver(), sleep(LIMITS.archiveWaitMs)]);
    }
    return result;
  }

  #report(event: AlertReport): void {
    tellOfAlerts(event, createLog("alert-rules", this.env.LOG_LEVEL));
    reportSoon("alert-rules", this.env, goOnInObject);
  }
}

function fields(body: string): JsonObject {
  return JSON.parse(body) as JsonObject;
}
