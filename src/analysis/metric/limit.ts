import type { GuardrailAction } from "../../model/guardrail.ts";
import { MARGIN } from "../active-test.ts";
import { ACTIONS, type MetricRule } from "./rule.ts";
import type { Side } from "./side.ts";

/** The number that an action's limit is just now; null: there is no such limit, or nothing to compare with. */
export function limitOf({ guardrail }: MetricRule, action: GuardrailAction, baseline: Side): number | null {
  const limit = guardrail[action];
  if (limit === undefined) return null;
  if ("value" in limit) return limit.value;
  const theirs = numberOf(guardrail, baseline);
  if (theirs === null) return null;
  if (guardrail.counting === "share") return limit.factor * theirs + MARGIN;
  // A multiple of nothing would be no limit but zero.
  return theirs > 0 ? limit.factor * theirs : null;
}

/** What a source says of an environment, in the unit of the limits; null: nothing yet, or not just now. */
export function numberOf({ counting }: MetricRule["guardrail"], { value, sum }: Side): number | null {
  if (counting !== "share") return value;
  return sum.requests === 0 ? null : sum.failures / sum.requests;
}

export function isMultiple({ guardrail }: MetricRule, action: GuardrailAction): boolean {
  return "factor" in (guardrail[action] ?? {});
}

/** Whether any limit is a multiple of the active environment's number. */
export function isRelative(rule: MetricRule): boolean {
  return ACTIONS.some((action) => isMultiple(rule, action));
}

/** Whether the active environment's source was ever asked. */
export function isAsked({ at, silent }: Side): boolean {
  return at !== null || silent !== null;
}

/** Why a multiple has nothing to be a multiple of just now; null: it has. `name`: of the active environment. */
export function lackOf({ guardrail }: MetricRule, baseline: Side, name: string): string | null {
  if (!isAsked(baseline)) return "there is nothing to compare with";
  if (baseline.silent !== null) return `${name} says nothing to compare with: ${baseline.silent}`;
  const theirs = numberOf(guardrail, baseline);
  if (theirs === null) return `${name} has counted nothing to compare with yet`;
  // A share has a margin beyond its multiple.
  return theirs > 0 || guardrail.counting === "share" ? null : "a multiple of that is no limit";
}
