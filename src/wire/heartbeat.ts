import type { Milliseconds } from "../model/time.ts";

/** Time between two looks. */
export const LOOK_EVERY_MS: Milliseconds = 1_000;
/** A look that comes later than this after the one before says more about the process that looks than about the other. */
const LATE_MS: Milliseconds = 2 * LOOK_EVERY_MS;
/**
 * State of a main thread that answers nothing and hangs none the less: it waits for a disk or for memory (D), which ends
 * by itself and which no signal shortens; or somebody debugs it (t).
 */
const EXCUSED: ReadonlySet<string> = new Set(["D", "t"]);

/**
 * For how many looks in a row a process has answered nothing. It counts looks, not time: when the process that looks or
 * the machine has slept, or is so busy that the looks come late, the count begins anew.
 */
export class Heartbeat {
  #lookedAt: Milliseconds;
  #silent = 0;

  /** @param now monotonic, as everywhere here */
  constructor(now: Milliseconds) {
    this.#lookedAt = now;
  }

  answered(): void {
    this.#silent = 0;
  }

  /** @param state of the main thread, see ProcessStat; @returns the looks in a row, this one included, without an answer */
  look(now: Milliseconds, state: string): number {
    const isLate = now - this.#lookedAt > LATE_MS;
    this.#lookedAt = now;
    if (isLate) this.#silent = 0;
    else if (!EXCUSED.has(state)) this.#silent += 1;
    return this.#silent;
  }
}
