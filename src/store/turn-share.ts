import type { Milliseconds } from "../model/time.ts";

/**
 * Runs short tasks at once while they have taken no more than a share of this turn of the event loop, and the others, in
 * their order, in the turns after it: thousands that are asked for in the same moment keep nothing else waiting.
 */
export class TurnShare {
  readonly #shareMs: Milliseconds;
  readonly #monotonic: () => Milliseconds;
  readonly #waiting: (() => void)[] = [];
  #spentMs: Milliseconds = 0;
  #isCounting = false;

  constructor(shareMs: Milliseconds, monotonic: () => Milliseconds) {
    this.#shareMs = shareMs;
    this.#monotonic = monotonic;
  }

  /** @throws what the task throws */
  run<T>(task: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const act = (): void => {
        const startedAt = this.#monotonic();
        try {
          resolve(task());
        } catch (thrown) {
          reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
        this.#spentMs += this.#monotonic() - startedAt;
      };
      this.#count();
      if (this.#waiting.length === 0 && this.#spentMs < this.#shareMs) act();
      else this.#waiting.push(act);
    });
  }

  #count(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    setImmediate(() => {
      this.#isCounting = false;
      this.#spentMs = 0;
      do {
        const act = this.#waiting.shift();
        if (act === undefined) return;
        act();
      } while (this.#spentMs < this.#shareMs);
      this.#count();
    });
  }
}
