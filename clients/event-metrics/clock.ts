// The time in microseconds, finer than Date.now() and never far from it.
//
// The fine clock of the process runs on by itself: it knows nothing of a wall clock that was set,
// and on some systems it stands still while the machine sleeps. So it is laid on the wall clock
// again when the two have come apart.

const APART_US_MAX = 20_000;

export class Clock {
  #offsetUs = performance.timeOrigin * 1_000;

  nowUs(): number {
    return Math.floor(this.#offsetUs + performance.now() * 1_000);
  }

  /** Called now and then; between two calls the clock only runs forward. */
  lay(): void {
    const apartUs = Date.now() * 1_000 - this.nowUs();
    if (Math.abs(apartUs) > APART_US_MAX) this.#offsetUs += apartUs;
  }
}
