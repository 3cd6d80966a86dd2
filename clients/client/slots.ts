// At most so many at once; the others wait in line.

export class Slots {
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((enter) => this.#line.push(enter));
    try {
      return await work();
    } finally {
      // Whoever is next takes the slot over, so that nobody who comes now gets in between.
      const next = this.#line.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
