import type { Clock, Milliseconds } from "../model/time.ts";

/** A reading may take this share of the time: its reader does nothing else meanwhile. */
const SHARE = 0.1;

/**
 * Reads something of the machine once for all who ask at about the same time. With thousands of processes a look at /proc
 * takes tens of milliseconds, in which the keeper answers nobody: the longer one takes, the longer the next one waits for
 * more who ask. After a pause it is read at once. What one gets was read after one asked.
 */
export class SharedReading<T> {
  readonly #clock: Clock;
  readonly #read: () => T;
  #next: Promise<T> | null = null;
  /** Monotonic. */
  #notBefore: Milliseconds = 0;

  constructor(clock: Clock, read: () => T) {
    this.#clock = clock;
    this.#read = read;
  }

  /** @throws what reading throws */
  fresh(): Promise<T> {
    this.#next ??= this.#clock.sleep(Math.max(0, this.#notBefore - this.#clock.monotonic())).then(() => {
      this.#next = null;
      const began = this.#clock.monotonic();
      const value = this.#read();
      const ended = this.#clock.monotonic();
      this.#notBefore = ended + ((ended - began) * (1 - SHARE)) / SHARE;
      return value;
    });
    return this.#next;
  }
}
