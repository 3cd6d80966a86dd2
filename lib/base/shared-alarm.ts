// One alarm for several who need one: a Durable Object has no more.
//
// Each sets its own time, and the object's alarm is set to the earliest. The times are in memory
// only: whoever shares the alarm sets its time again when it is made anew, as after a crash.

import type { Alarm } from "./ports.ts";

export class SharedAlarm {
  readonly #alarm: Alarm;
  readonly #times = new Map<string, number>();

  constructor(alarm: Alarm) {
    this.#alarm = alarm;
  }

  /** The alarm as `name` sees it. */
  of(name: string): Alarm {
    return {
      setMs: (atMs) => {
        this.#times.set(name, atMs);
        this.#alarm.setMs(Math.min(...this.#times.values()));
      },
    };
  }

  /** It has rung. Everybody is asked now, and sets a time again if it needs one. */
  noteRung(): void {
    this.#times.clear();
  }
}
