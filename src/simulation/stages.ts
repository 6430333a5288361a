import { type Advance, MAX_WAIT_MS } from "../model/guardrail.ts";
import { DEFAULT_ENVIRONMENTS } from "../model/names.ts";
import type { Release } from "../model/release.ts";
import type { ServiceSpec } from "../model/service.ts";
import type { Milliseconds } from "../model/time.ts";
import { planDeploy } from "../plan/deploy.ts";

/** A step of a plan that watches. */
export interface Stage {
  readonly step: string;
  /** Percent of the traffic for the new environment. */
  readonly weight: number;
  readonly watchMs: Milliseconds;
  /** From its beginning, whatever holds it: then the deployment is taken back. */
  readonly worstMs: Milliseconds;
  readonly advance: Advance;
  readonly maxWaitMs: Milliseconds;
  /** Whether the active environment has traffic to compare with. */
  readonly compared: boolean;
}

export const [ACTIVE, CANDIDATE] = DEFAULT_ENVIRONMENTS;

/** What the planner makes of a deploy beside a warm release of the same configuration: the steps that watch. */
export function stagesOf(spec: ServiceSpec): readonly Stage[] {
  const plan = planDeploy(
    {
      service: spec.name,
      active: ACTIVE,
      standby: CANDIDATE,
      weights: { [ACTIVE]: 100, [CANDIDATE]: 0 },
      environments: { [ACTIVE]: { release: release(spec, "active"), state: "ready" } },
      retirement: null,
    },
    release(spec, "candidate"),
  );
  return plan.steps.flatMap(({ id, uses, input, worstMs }): Stage[] => {
    const { watchMs = 0, weights = {}, advance = "time", maxWaitMs = MAX_WAIT_MS } = input;
    const watches = watchMs > 0 && (uses === "shift@1" || uses === "bake@1");
    if (!watches) return [];
    const weight = weights[CANDIDATE] ?? 0;
    return [{ step: id, weight, watchMs, worstMs, advance, maxWaitMs, compared: (weights[ACTIVE] ?? 0) > 0 }];
  });
}

function release(spec: ServiceSpec, version: string): Release {
  return { id: version, service: spec.name, version, digest: null, directory: "", spec, createdAt: 0 };
}
