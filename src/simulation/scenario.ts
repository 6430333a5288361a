import type { Milliseconds } from "../model/time.ts";

/** A release as it is described, and the traffic that it meets. */
export interface Scenario {
  /** Requests a second, of both environments together. */
  readonly rate: number;
  /** Share of the new environment's requests that fail, once it has turned bad. */
  readonly failing: number;
  /** By how much its requests take longer, once it has turned bad; 1: no longer. */
  readonly slow: number;
  /** When it turns bad, from its first traffic on. */
  readonly afterMs: Milliseconds;
  /** Share of the active environment's requests that fail, and of the new one's before it turns bad. */
  readonly activeFailing: number;
  /** Median latency of the active environment. */
  readonly medianMs: Milliseconds;
  /** Users that the requests come from, all equally often; null: not looked at. */
  readonly users: number | null;
  /** Whether a user stays on one side of the split (`traffic.affinity`). */
  readonly sticky: boolean;
}

/** The same traffic on a release that is as good as the active one. */
export function goodOne(scenario: Scenario): Scenario {
  return { ...scenario, failing: scenario.activeFailing, slow: 1, afterMs: 0 };
}
