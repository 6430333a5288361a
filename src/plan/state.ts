import type { EnvironmentState } from "../model/environment.ts";
import type { Release } from "../model/release.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { Weights } from "../model/traffic.ts";

/** What a plan is made from: the service as it is wished and observed at one moment. */
export interface PlanState {
  readonly service: string;
  readonly active: string | null;
  readonly standby: string | null;
  readonly weights: Weights;
  readonly environments: Readonly<Record<string, PlanEnvironment>>;
  readonly retirement: { readonly environment: string; readonly at: EpochMilliseconds } | null;
}

export interface PlanEnvironment {
  /** What it runs or would run when started; null: nothing. */
  readonly release: Release | null;
  readonly state: EnvironmentState;
  /** Instances that a person has asked for with `teal env scale`; absent: as many as the release says. */
  readonly count?: number;
}

const NOTHING: PlanEnvironment = { release: null, state: "absent" };

export function environmentOf(state: PlanState, name: string): PlanEnvironment {
  return state.environments[name] ?? NOTHING;
}

/** All weight on `environment`, 0 on the others that are known. */
export function allTo(environment: string, others: readonly string[]): Weights {
  return { ...Object.fromEntries(others.map((other) => [other, 0])), [environment]: 100 };
}
