import { TealError } from "../model/error.ts";
import type { Plan, PlanStep } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import { configurationDiff } from "./configuration-diff.ts";
import { targetOf } from "./deploy.ts";
import { allTo, environmentOf, type PlanState } from "./state.ts";
import * as steps from "./steps.ts";
import { planSwitch } from "./switch.ts";

/**
 * Back to the release before. On the standby: a switch, after a start when it is stopped. Retired: its stored release is
 * started again on the free environment. `previous` is the newest stored release that once was active, is not now, and whose files are there.
 * @throws `nothing-to-roll-back-to`
 */
export function planRollback(state: PlanState, previous: Release | null): Plan {
  const { active, standby } = state;
  if (active === null) throw new TealError("nothing-to-roll-back-to", `${state.service} has had no release yet`);
  if (standby !== null && environmentOf(state, standby).release !== null)
    return planSwitch(state, standby, { goal: "rollback" });
  if (previous === null) throw new TealError("nothing-to-roll-back-to", `${state.service} has no earlier release`);
  return planRedeploy(state, active, previous);
}

function planRedeploy(state: PlanState, active: string, release: Release): Plan {
  const to = targetOf(state);
  const { spec } = release;
  const planned: PlanStep[] = [
    steps.preflight(to, false),
    steps.provision(to, release.version),
    steps.start(to, spec),
    steps.healthy(to, spec),
    steps.shift(to, allTo(to, [active]), { version: release.version, watchMs: 0 }),
  ];
  return {
    goal: "rollback",
    service: state.service,
    from: active,
    to,
    steps: planned,
    worstRollbackMs: steps.worstRollbackMs(spec),
    warnings: [`${release.version} was retired: it is started again from its stored files.`],
    changes: configurationDiff(environmentOf(state, active).release?.spec ?? null, spec),
  };
}
