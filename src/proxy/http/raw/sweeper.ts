import type { Milliseconds } from "../../../model/time.ts";

const SWEEP_EVERY_MS: Milliseconds = 250;

/** Something with at most one deadline at a time. */
export interface Swept {
  /** Monotonic milliseconds; Infinity: none. */
  dueAt: Milliseconds;
  /** The deadline has passed. It must change `dueAt`, or it is called at each sweep. */
  due(now: Milliseconds): void;
}

/**
 * Deadlines to a quarter of a second for all connections of a worker: setting one is one store, and no request makes a
 * timer. A sweep over 10,000 connections takes about 0.1 ms.
 */
export class Sweeper {
  readonly #now: () => Milliseconds;
  readonly #all = new Set<Swept>();
  #timer: NodeJS.Timeout | null = null;

  constructor(now: () => Milliseconds) {
    this.#now = now;
  }

  add(swept: Swept): void {
    this.#all.add(swept);
    this.#timer ??= setInterval(() => {
      this.sweep();
    }, SWEEP_EVERY_MS);
  }

  delete(swept: Swept): void {
    this.#all.delete(swept);
    if (this.#all.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  sweep(): void {
    const now = this.#now();
    for (const swept of this.#all) if (swept.dueAt <= now) swept.due(now);
  }
}
