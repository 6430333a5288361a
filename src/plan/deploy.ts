import { MAX_WAIT_MS } from "../model/guardrail.ts";
import { DEFAULT_ENVIRONMENTS, otherOf } from "../model/names.ts";
import type { Plan, PlanStep } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import { configurationDiff } from "./configuration-diff.ts";
import { cutWarning } from "./cuts.ts";
import { allTo, environmentOf, type PlanState } from "./state.ts";
import * as steps from "./steps.ts";

/** The environment that the next release goes to: the one that is not active. */
export function targetOf(state: PlanState): string {
  return state.standby ?? (state.active === null ? DEFAULT_ENVIRONMENTS[0] : otherOf(state.active));
}

/**
 * preflight → [retire what is on the standby] → provision → start → healthy → [validate] → [approval] → shift … 100 → [bake].
 * A first deploy has no baseline to compare with and nothing to go back to: it goes straight to 100 after validation.
 */
export function planDeploy(state: PlanState, release: Release): Plan {
  const { spec } = release;
  const to = targetOf(state);
  const from = state.active;
  const old = environmentOf(state, to).release;
  const others = from === null ? [] : [from];
  const validation = steps.validate(to, spec);
  const planned: PlanStep[] = [
    steps.preflight(to, from === null),
    ...(old === null ? [] : [steps.retire(to, old.version, old.spec)]),
    steps.provision(to, release.version),
    steps.start(to, spec),
    steps.healthy(to, spec),
    ...(validation === null ? [] : [validation]),
    ...(spec.deploy.approval === "none" ? [] : [steps.approval(to, release.version)]),
  ];
  if (from === null) planned.push(steps.shift(to, allTo(to, others), { version: release.version, watchMs: 0 }));
  else planned.push(...exposure(from, to, release));
  const active = from === null ? null : environmentOf(state, from).release;
  return {
    goal: "deploy",
    service: state.service,
    from,
    to,
    steps: planned,
    worstRollbackMs: from === null ? 0 : steps.worstRollbackMs(spec),
    warnings: warningsOf(state, release, old),
    changes: configurationDiff(active?.spec ?? null, spec),
  };
}

/** All that gives it traffic. With a holdback the last of it comes after the bake. */
function exposure(from: string, to: string, { version, spec }: Release): PlanStep[] {
  const { advance = "time", maxWaitMs = MAX_WAIT_MS, shift, bakeMs, bakeHoldback } = spec.deploy;
  const until = advance === "time" ? {} : { until: { advance, maxWaitMs } };
  const at = (weight: number) => ({ [from]: 100 - weight, [to]: weight });
  const give = { version, watchMs: 0, mayHold: true };
  const watched = shift.map(({ weight, forMs }) => steps.shift(to, at(weight), { ...give, watchMs: forMs, ...until }));
  const rest = steps.shift(to, at(100), give);
  if (bakeMs === 0) return [...watched, rest];
  if (bakeHoldback === undefined) return [...watched, rest, steps.bake(to, at(100), bakeMs)];
  const held = at(100 - bakeHoldback);
  return [...watched, steps.promote(to, held, { from, version }), steps.bake(to, held, bakeMs), rest];
}

function warningsOf(state: PlanState, release: Release, old: Release | null): string[] {
  const { spec } = release;
  const warnings: string[] = [];
  if (state.active === null)
    warnings.push("This is the first release: there is nothing to roll back to until the next one.");
  if (old !== null) {
    warnings.push(
      `${old.version}, kept warm on ${targetOf(state)}, is retired first to make room: until this is done, going back beyond the active release means starting one from its files.`,
    );
  }
  if (release.id !== release.version) {
    warnings.push(
      `${release.version} was released before with other files or settings: this one is kept as ${release.id}. Give each build a version of its own.`,
    );
  }
  if (validationIsEmpty(release)) {
    warnings.push("Nothing is validated beyond health: add deploy.validate.checks, an endpoint or a smoke command.");
  }
  if (spec.environment.count === 1)
    warnings.push("With one instance per environment, a crash of it is an outage: set environment.count to 2 or more.");
  if (state.active !== null) warnings.push(cutWarning(state.active, spec.traffic));
  if (spec.notify.length > 0) warnings.push("notify is set, but this version of Teal sends no notifications.");
  return warnings;
}

function validationIsEmpty({ spec }: Release): boolean {
  const { endpoint, smoke, checks } = spec.deploy.validate;
  return endpoint === null && smoke === null && checks.length === 0;
}
