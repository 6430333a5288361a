import { TealError } from "../model/error.ts";
import type { Plan } from "../model/plan.ts";
import { environmentOf, type PlanState } from "./state.ts";
import * as steps from "./steps.ts";

/**
 * Destroys an environment that has no traffic.
 * @throws `still-has-traffic`, `no-release`
 */
export function planRetire(state: PlanState, environment: string): Plan {
  if (environment === state.active || (state.weights[environment] ?? 0) > 0) {
    throw new TealError(
      "still-has-traffic",
      `${environment} of ${state.service} has ${String(state.weights[environment] ?? 0)} % of the traffic`,
    );
  }
  const { release } = environmentOf(state, environment);
  if (release === null)
    throw new TealError("no-release", `${environment} of ${state.service} has no release to retire`);
  return {
    goal: "retire",
    service: state.service,
    from: null,
    to: environment,
    steps: [steps.retire(environment, release.version, release.spec)],
    worstRollbackMs: 0,
    warnings: [`After this, rolling back to ${release.version} means starting it again from its stored files.`],
    changes: [],
  };
}
