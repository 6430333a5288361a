import type { Goal } from "../model/deployment.ts";
import { TealError } from "../model/error.ts";
import type { Plan } from "../model/plan.ts";
import { cutWarning } from "./cuts.ts";
import { allTo, environmentOf, type PlanState } from "./state.ts";
import * as steps from "./steps.ts";

/**
 * [start → healthy] → shift 100. By hand and at once: the person decides, so no bake follows. A warm environment needs
 * the shift alone, which reads the live split back and refuses without a healthy instance.
 * @throws `no-release`, `already-active`
 */
export function planSwitch(
  state: PlanState,
  to: string,
  options: { readonly goal?: Goal; readonly force?: boolean } = {},
): Plan {
  const target = environmentOf(state, to);
  if (target.release === null)
    throw new TealError("no-release", `${to} of ${state.service} has no release to switch to`);
  if (state.active === to && (state.weights[to] ?? 0) === 100) {
    throw new TealError("already-active", `${to} already has all the traffic of ${state.service}`);
  }
  const { spec } = target.release;
  const force = options.force ?? false;
  const warm = target.state === "ready" || force;
  const others = Object.keys(state.weights).filter((name) => name !== to);
  return {
    goal: options.goal ?? "switch",
    service: state.service,
    from: state.active,
    to,
    steps: [
      ...(warm ? [] : [steps.start(to, spec, target.count), steps.healthy(to, spec)]),
      steps.shift(to, allTo(to, others), { version: target.release.version, watchMs: 0, force }),
    ],
    worstRollbackMs: steps.worstRollbackMs(spec),
    warnings: [
      ...(warm ? [] : [`${to} is not running: it is started first.`]),
      ...(force ? [`Forced: ${to} gets the traffic even without a healthy instance.`] : []),
      ...(state.active === null || state.active === to ? [] : [cutWarning(state.active, spec.traffic)]),
    ],
    changes: [],
  };
}
