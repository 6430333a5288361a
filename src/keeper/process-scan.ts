import type { Clock, Milliseconds } from "../model/time.ts";
import { allProcesses, type ProcessStat } from "./procfs.ts";

/** How long others may join a reading that was asked for. */
const WINDOW_MS: Milliseconds = 20;

/**
 * Reads /proc once for all who ask at about the same time: with thousands of processes a reading takes tens of
 * milliseconds, in which the keeper answers nobody. What one gets was read after one asked.
 */
export class ProcessScan {
  readonly #clock: Clock;
  readonly #read: () => readonly ProcessStat[];
  #next: Promise<readonly ProcessStat[]> | null = null;

  constructor(clock: Clock, read: () => readonly ProcessStat[] = allProcesses) {
    this.#clock = clock;
    this.#read = read;
  }

  fresh(): Promise<readonly ProcessStat[]> {
    this.#next ??= this.#clock.sleep(WINDOW_MS).then(() => {
      this.#next = null;
      return this.#read();
    });
    return this.#next;
  }
}
