import type { DeploymentState, Goal } from "./deployment.ts";
import type { Dora } from "./dora.ts";
import type { EnvironmentState } from "./environment.ts";
import type { MaintenanceMode } from "./maintenance.ts";
import type { Hold } from "./hold.ts";
import type { EpochMilliseconds } from "./time.ts";
import type { Weights } from "./traffic.ts";

/** The standing answer to "is rollback safe now?" (Z5). */
export interface RollbackSafety {
  readonly safe: "safe" | "until-contract" | "unsafe";
  readonly reason: string;
  /** Expected seconds until the old release has all the traffic again; null when unsafe. */
  readonly seconds: number | null;
}

/** CONTRACTS, "teal status --json". */
export interface ServiceStatus {
  readonly service: string;
  readonly active: string | null;
  readonly standby: string | null;
  /** As observed; as recorded while the data plane does not answer. */
  readonly traffic: Weights;
  /** What Teal has recorded as the split. Another one live is drift. */
  readonly desired: Weights;
  /** What the data plane says; null when it does not answer, or has never heard of the service. */
  readonly observed: Weights | null;
  readonly generation: number;
  readonly fence: number;
  readonly rollback: RollbackSafety;
  readonly environments: readonly EnvironmentStatus[];
  readonly deployment: {
    readonly id: string;
    readonly goal: Goal;
    readonly state: DeploymentState;
    readonly step: string | null;
    readonly startedAt: EpochMilliseconds | null;
    /** Null while it goes on by itself. */
    readonly hold: Hold | null;
  } | null;
  readonly retirement: { readonly environment: string; readonly at: EpochMilliseconds } | null;
  /** Null: nothing was deployed yet, or the server has just started. */
  readonly dora: Dora | null;
  /** Null: off, on record and at the data plane. */
  readonly maintenance: MaintenanceStatus | null;
}

/** What holds for a service's requests by the record, and by the data plane. */
export interface MaintenanceStatus {
  readonly mode: MaintenanceMode;
  /** What the data plane says; null: it does not answer. */
  readonly live: MaintenanceMode | null;
  readonly since: EpochMilliseconds | null;
  /** When a hold ends by itself, and in what. */
  readonly until: EpochMilliseconds | null;
  readonly endsIn: "off" | "on";
  readonly by: string | null;
  readonly reason: string | null;
}

export interface EnvironmentStatus {
  readonly name: string;
  readonly version: string | null;
  readonly state: EnvironmentState;
  readonly instances: readonly {
    readonly id: string;
    readonly address: string | null;
    readonly pid: number | null;
    readonly healthy: boolean;
  }[];
}
