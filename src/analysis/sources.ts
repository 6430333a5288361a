import { ALPHA, type GuardrailSpec } from "../model/guardrail.ts";
import type { DeploySpec } from "../model/service.ts";
import { isShownGood, isWanting } from "./guardrails.ts";
import type { RuleVerdict } from "./verdict.ts";

/**
 * The rules by which each trial of such a deployment judges: one over users' requests, and one over probes where they are
 * wished. Together they take back a release that is within its limits with a probability of at most alpha (the union of
 * the bounds), so each has an equal part of it. Who judges live, replays or simulates gets them here and nowhere else.
 */
export function rulesOfTrial({ guardrails, probes }: Pick<DeploySpec, "guardrails" | "probes">): GuardrailSpec {
  return probes === undefined ? guardrails : { ...guardrails, alpha: (guardrails.alpha ?? ALPHA) / 2 };
}

/** Whether no metric holds back more traffic: one that compares with an active environment that is not asked is left out. */
export function isWithin(metrics: readonly RuleVerdict[]): boolean {
  return metrics.every((verdict) => !isWanting(verdict));
}

/**
 * By whose requests the release is shown to be not worse; null: by nobody's. Probes may stand for users that are too few,
 * never against what users' requests show.
 */
export function shownGoodBy(users: readonly RuleVerdict[], probes: readonly RuleVerdict[]): "users" | "probes" | null {
  const saysNothing = ({ outcome, proof }: RuleVerdict): boolean =>
    outcome === "within" || outcome === "not-enough-evidence" || proof !== undefined;
  if (!probes.every(saysNothing)) return null;
  if (isShownGood(users)) return "users";
  return isShownGood(probes) && users.every(saysNothing) ? "probes" : null;
}
