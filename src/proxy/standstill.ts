import type { Milliseconds } from "../model/time.ts";

/** What looks more often than this is late by it, too. */
const EVERY_MS: Milliseconds = 250;

/**
 * Tells by looks at regular times whether this process itself stood still: it was stopped, or got no processor. A timer then
 * fires before anything is read that came meanwhile, so a look that comes late must judge nobody by the time that has passed.
 * After two late ones in a row the process is busy rather than stopped, and the second one judges.
 */
export class Standstill {
  readonly #everyMs: Milliseconds;
  #lookedAt: Milliseconds;
  #wasLate = false;

  /** `now`: monotonic, as everywhere here; `everyMs`: the longest time from look to look, where none is late. */
  constructor(now: Milliseconds, everyMs: Milliseconds = EVERY_MS) {
    this.#lookedAt = now;
    this.#everyMs = everyMs;
  }

  /** The time that was lost; 0: none, or the look before was late as well. */
  look(now: Milliseconds): Milliseconds {
    const isLate = this.#isLate(now);
    const lostMs = isLate && !this.#wasLate ? now - this.#lookedAt - this.#everyMs : 0;
    this.#lookedAt = now;
    this.#wasLate = isLate;
    return lostMs;
  }

  /** Whether things may have come, before now, that were not read yet: until the first look in time. */
  hasUnread(now: Milliseconds): boolean {
    return this.#wasLate || this.#isLate(now);
  }

  #isLate(now: Milliseconds): boolean {
    return now - this.#lookedAt > 2 * this.#everyMs;
  }
}
