import type { TrafficSpec } from "./service.ts";
import type { Milliseconds } from "./time.ts";

export type DrainTimes = Pick<TrafficSpec, "drainMs" | "longLivedMs">;

/** A polite close waits for the other side. */
const GRACE_MS: Milliseconds = 5_000;
const LONGEST_SPREAD_MS: Milliseconds = 10_000;

/**
 * How long the closing of long-lived connections is spread once their time is over, so that their clients do not all
 * come back at once: a tenth of that time, 10 s at most.
 */
export function spreadOf(longLivedMs: Milliseconds): Milliseconds {
  return Math.min(LONGEST_SPREAD_MS, longLivedMs / 10);
}

/** From a switch to the end of the last request of the side that lost its traffic, at the latest. */
export function longestDrainMs({ drainMs, longLivedMs }: DrainTimes): Milliseconds {
  const lastMs = Math.max(drainMs, longLivedMs);
  return lastMs + spreadOf(lastMs) + GRACE_MS;
}

/**
 * The times of a release that was taken back: nobody waits minutes for its WebSockets, as it has to be stopped before
 * the service is free again.
 */
export function takenBackTimes({ drainMs }: DrainTimes): DrainTimes {
  return { drainMs, longLivedMs: drainMs };
}
