import type { RuleVerdict } from "./verdict.ts";

/** Refused connects that convict an environment without a healthy instance (DESIGN section 7, "Fast path"). */
export const FATAL_CONNECT_FAILURES = 5;

/** What is known of the new environment besides its requests. */
export interface Vitals {
  /** In the window. */
  readonly connectFailures: number;
  readonly healthyInstances: number;
  /** Id of an instance in a crash loop, with what is known of it; null for none. */
  readonly crashLoop: string | null;
}

/** What needs no statistics: an environment that is plainly gone goes back at once. Null: nothing of the kind. */
export function fastPath(vitals: Vitals, candidate: string): RuleVerdict | null {
  const { connectFailures, healthyInstances, crashLoop } = vitals;
  const facts = { outcome: "rollBack", breached: "rollBack", lacking: null, requests: connectFailures } as const;
  if (crashLoop !== null) {
    const message = `an instance of ${candidate} is in a crash loop: ${crashLoop}`;
    return { ...facts, rule: "crashLoop", observed: null, limit: null, message };
  }
  if (connectFailures < FATAL_CONNECT_FAILURES || healthyInstances > 0) return null;
  const message = `${candidate} refused ${String(connectFailures)} connections and has no healthy instance`;
  return { ...facts, rule: "connectFailures", observed: connectFailures, limit: FATAL_CONNECT_FAILURES - 1, message };
}
