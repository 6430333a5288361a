import type { Milliseconds } from "../model/time.ts";

const FIRST_BACKOFF_MS: Milliseconds = 100;
const LONGEST_BACKOFF_MS: Milliseconds = 5_000;
/** Health for so long makes what was before forgotten. */
const HEALTHY_RESET_MS: Milliseconds = 10_000;
const LOOP_WINDOW_MS: Milliseconds = 60_000;
const LOOP_EXITS = 3;
const LOOP_EXITS_NEVER_READY = 5;
const FIRST_LOOP_WAIT_MS: Milliseconds = 10_000;
const LONGEST_LOOP_WAIT_MS: Milliseconds = 60_000;

export interface Restart {
  readonly waitMs: Milliseconds;
  /** Whether it keeps ending, so that it is tried only now and then. */
  readonly loop: boolean;
}

/**
 * When to start again what ended by itself: after 100 ms, doubling to 5 s. A crash loop is 3 exits within 60 s, or 5 before
 * it was ever ready; it is then tried after 10 s, doubling to 60 s. 10 s of health forget all of it.
 */
export class RestartPolicy {
  #exits: Milliseconds[] = [];
  #attempts = 0;
  #loops = 0;
  #everReady = false;
  #readySince: Milliseconds | null = null;

  /** @param now monotonic */
  ready(now: Milliseconds): void {
    this.#everReady = true;
    this.#readySince = now;
  }

  /** @param now monotonic */
  exited(now: Milliseconds): Restart {
    if (this.#readySince !== null && now - this.#readySince >= HEALTHY_RESET_MS) {
      this.#exits = [];
      this.#attempts = 0;
      this.#loops = 0;
    }
    this.#readySince = null;
    this.#exits.push(now);
    this.#attempts += 1;
    const recent = this.#exits.filter((at) => now - at < LOOP_WINDOW_MS).length;
    if (this.#loops > 0 || recent >= LOOP_EXITS || (!this.#everReady && this.#attempts >= LOOP_EXITS_NEVER_READY)) {
      this.#loops += 1;
      return { waitMs: doubled(FIRST_LOOP_WAIT_MS, this.#loops, LONGEST_LOOP_WAIT_MS), loop: true };
    }
    this.#exits = this.#exits.slice(-LOOP_EXITS);
    return { waitMs: doubled(FIRST_BACKOFF_MS, this.#attempts, LONGEST_BACKOFF_MS), loop: false };
  }
}

/** `first`, doubled with each attempt after the first, up to `longest`. */
export function doubled(first: Milliseconds, attempt: number, longest: Milliseconds): Milliseconds {
  return Math.min(first * 2 ** (attempt - 1), longest);
}
