import type { EpochMilliseconds } from "./time.ts";

export const GOALS = ["deploy", "switch", "rollback", "retire"] as const;
/** What a deployment is for: one file per goal in `plan/`. */
export type Goal = (typeof GOALS)[number];

/**
 * planned → running ⇄ waiting → baking → completed
 *              └────────┴─────────┴→ rolling-back → rolled-back | aborted | failed
 *                                         └→ frozen (rolling back would be worse)
 * `failed` also ends a run that never touched traffic; `aborted` one that a person ended.
 */
export const DEPLOYMENT_STATES = [
  "planned",
  "running",
  "waiting",
  "baking",
  "completed",
  "rolling-back",
  "rolled-back",
  "aborted",
  "failed",
  "frozen",
] as const;
export type DeploymentState = (typeof DEPLOYMENT_STATES)[number];

const TRANSITIONS = {
  planned: ["running", "rolling-back"],
  running: ["waiting", "baking", "completed", "rolling-back"],
  waiting: ["running", "rolling-back"],
  baking: ["completed", "rolling-back"],
  "rolling-back": ["rolled-back", "aborted", "failed", "frozen"],
  frozen: ["rolling-back", "failed"],
  completed: [],
  "rolled-back": [],
  aborted: [],
  failed: [],
} as const satisfies Record<DeploymentState, readonly DeploymentState[]>;

export function canBecome(from: DeploymentState, to: DeploymentState): boolean {
  const allowed: readonly DeploymentState[] = TRANSITIONS[from];
  return allowed.includes(to);
}

/** Whether nothing more will happen to it, so that the service's mutex is free. */
export function isEnded(state: DeploymentState): boolean {
  return TRANSITIONS[state].length === 0;
}

/** Why a deployment is being taken back; decides how it ends. */
export type RollbackCause =
  /** A person asked: ends `aborted`. */
  | { readonly kind: "abort"; readonly by: string; readonly reason: string | null }
  /**
   * A guardrail, a crash loop, the data plane's own revert: ends `rolled-back` when traffic had been touched. So does an
   * approval that nobody gave, which is always before that.
   */
  | { readonly kind: "verdict"; readonly code: string; readonly message: string }
  /** A step failed: ends `rolled-back` when traffic had been touched, else `failed`. */
  | { readonly kind: "failure"; readonly code: string; readonly message: string };

export interface Deployment {
  readonly id: string;
  readonly service: string;
  readonly goal: Goal;
  readonly state: DeploymentState;
  /** Environment that had the traffic when it began; null on the first deploy. */
  readonly from: string | null;
  /** Environment that is to have it; for a retirement, the one to go. */
  readonly to: string;
  /** Release that `to` runs or will run. */
  readonly release: string | null;
  readonly version: string | null;
  /** Whether a shift was begun, so that its end counts as rolled back and not as failed. */
  readonly touchedTraffic: boolean;
  readonly cause: RollbackCause | null;
  readonly by: string;
  readonly reason: string | null;
  readonly createdAt: EpochMilliseconds;
  readonly startedAt: EpochMilliseconds | null;
  readonly endedAt: EpochMilliseconds | null;
}
