import { ALPHA, type GuardrailSpec } from "../model/guardrail.ts";
import { isShownGood } from "./guardrails.ts";
import type { RuleVerdict } from "./verdict.ts";

/**
 * The rules as each of several independent trials of one deployment applies them. Together they take back a release that
 * is within its limits with a probability of at most alpha (the union of the bounds), so each has an equal part of it.
 */
export function shareOf(spec: GuardrailSpec, trials: number): GuardrailSpec {
  return trials === 1 ? spec : { ...spec, alpha: (spec.alpha ?? ALPHA) / trials };
}

/** Whether no metric holds back more traffic: one that compares with an active environment that is not asked is left out. */
export function isWithin(metrics: readonly RuleVerdict[]): boolean {
  return metrics.every(({ outcome, lacking }) => outcome === "within" || lacking === "baseline");
}

/**
 * By whose requests the release is shown to be not worse; null: by nobody's. Probes may stand for users that are too few,
 * never against what users' requests show.
 */
export function shownGoodBy(users: readonly RuleVerdict[], probes: readonly RuleVerdict[]): "users" | "probes" | null {
  const saysNothing = ({ outcome }: RuleVerdict): boolean => outcome === "within" || outcome === "not-enough-evidence";
  if (!probes.every(saysNothing)) return null;
  if (isShownGood(users)) return "users";
  return isShownGood(probes) && users.every(saysNothing) ? "probes" : null;
}
