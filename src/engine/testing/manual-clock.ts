import type { Clock, EpochMilliseconds, Milliseconds } from "../../model/time.ts";

interface Sleeper {
  readonly at: Milliseconds;
  readonly wake: () => void;
}

/** Time that stands still until a test moves it. */
export class ManualClock implements Clock {
  #elapsed: Milliseconds = 0;
  #origin: EpochMilliseconds;
  readonly #sleepers = new Set<Sleeper>();

  constructor(origin: EpochMilliseconds = 1_800_000_000_000) {
    this.#origin = origin;
  }

  now(): EpochMilliseconds {
    return this.#origin + this.#elapsed;
  }

  monotonic(): Milliseconds {
    return this.#elapsed;
  }

  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason)));
      };
      if (signal?.aborted === true) {
        reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
        return;
      }
      const sleeper: Sleeper = {
        at: this.#elapsed + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Sets the wall clock, as a person or NTP does: the monotonic one goes on as before. */
  jump(ms: Milliseconds): void {
    this.#origin += ms;
  }

  /** Moves time on, and wakes whoever's time has come, earliest first. */
  advance(ms: Milliseconds): void {
    this.#elapsed += ms;
    const due = [...this.#sleepers].filter(({ at }) => at <= this.#elapsed).toSorted((a, b) => a.at - b.at);
    for (const sleeper of due) sleeper.wake();
  }
}
