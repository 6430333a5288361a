import type { ErrorCode } from "./catalogue.ts";
import type { EpochMilliseconds } from "./time.ts";

/** Identity of one instance; printed `web/green/v2/0`. */
export interface InstanceKey {
  readonly service: string;
  readonly environment: string;
  readonly release: string;
  readonly ordinal: number;
}

export function instanceId(key: InstanceKey): string {
  return `${key.service}/${key.environment}/${key.release}/${String(key.ordinal)}`;
}

/**
 * absent: nothing runs. starting: some instance is not ready yet. ready: all are. stopping: told to end.
 * failed: an instance is in a crash loop or could not be started.
 */
export type EnvironmentState = "absent" | "starting" | "ready" | "stopping" | "failed";

/**
 * starting → ready → exited → starting …; `crash-loop` when it keeps ending; `failed` when it cannot be started at all
 * (command not found); `stopping` → `stopped`.
 */
export type InstanceState = "starting" | "ready" | "backoff" | "crash-loop" | "failed" | "stopping" | "stopped";

export interface InstanceStatus {
  readonly id: string;
  readonly ordinal: number;
  readonly state: InstanceState;
  /** `host:port`; null when it has none yet. */
  readonly address: string | null;
  readonly pid: number | null;
  /** Times it was started again after ending by itself. */
  readonly restarts: number;
  /** What kind of trouble it is in: `command-not-found`, `release-missing`, `port-stranger`, `crash-loop`, …; null: none. */
  readonly code: ErrorCode | null;
  /** Why it is not ready, in words for a person; null when ready. */
  readonly reason: string | null;
  readonly startedAt: EpochMilliseconds | null;
}

/** What the store knows of an environment: the wish, not the observation. */
export interface EnvironmentRecord {
  readonly service: string;
  readonly name: string;
  /** The release it is to run; null: never used or retired. */
  readonly release: string | null;
  /** Whether its instances are to run. A stopped standby keeps its release. */
  readonly desired: "running" | "stopped";
  /** Instances that a person has asked for instead of what the release says; gone with the next deploy. Absent: as it says. */
  readonly count?: number;
}
