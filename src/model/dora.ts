import type { DeploymentState, Goal } from "./deployment.ts";
import type { EpochMilliseconds } from "./time.ts";

/** One deployment that has ended, as far as it matters to how a service is delivered. Retirements are none. */
export interface Change {
  readonly deployment: string;
  readonly goal: Goal;
  readonly state: DeploymentState;
  readonly release: string | null;
  readonly touchedTraffic: boolean;
  readonly endedAt: EpochMilliseconds;
  /** When the commit of its release was made; null: the release is of no commit. */
  readonly committedAt: EpochMilliseconds | null;
  /** When its release got its first traffic; null: none, or not on record. */
  readonly trafficAt: EpochMilliseconds | null;
  /** When the traffic was back, of one that was taken back; null: it was not, or not on record. */
  readonly backAt: EpochMilliseconds | null;
}

/** What is on record of a service's changes since some time. */
export interface ChangeLog {
  /** When the very first deployment of the service was accepted; null: there was none. */
  readonly begunAt: EpochMilliseconds | null;
  /** Release of the last completed change before these. */
  readonly before: string | null;
  /** In the order in which they ended, which is the one in which they were accepted: one at a time. */
  readonly changes: readonly Change[];
  /** Whether there were more than are kept here: then the oldest are left out. */
  readonly truncated: boolean;
}

/** The four of dora.dev over the last days: see `analysis/dora.ts` for what counts as what. */
export interface Dora {
  /** Looked at, at most: 30. */
  readonly windowDays: number;
  /** Of those, the days since the first deployment. */
  readonly observedDays: number;
  /** Completed deploys of another release than the one before. */
  readonly deployments: number;
  /** Null with less than a day of history. */
  readonly deploymentsPerDay: number | null;
  /** Median; null: no release of a commit was deployed. */
  readonly leadTimeSeconds: number | null;
  /** Deploys of another release that got traffic, however they ended. */
  readonly changes: number;
  /** Of those, taken back or followed by a rollback. */
  readonly failures: number;
  /** `failures / changes`; null without a change. */
  readonly changeFailureRate: number | null;
  /** Median; null: nothing had to be restored. */
  readonly timeToRestoreSeconds: number | null;
}
