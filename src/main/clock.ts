import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../model/time.ts";

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await wait(ms, undefined, signal === undefined ? {} : { signal });
    } catch (thrown) {
      // timers/promises rejects with an AbortError of its own; the contract is the signal's reason.
      signal?.throwIfAborted();
      throw thrown;
    }
  },
};
