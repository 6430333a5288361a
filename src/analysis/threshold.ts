import type { GuardrailAction } from "../model/guardrail.ts";
import type { GuardrailRule, RuleVerdict } from "./verdict.ts";

/** One rule, its numbers taken out of the counters. Limits are in the unit of `observed`. */
export interface Measure {
  readonly rule: GuardrailRule;
  readonly observed: number;
  /** What the true value is at least, by all that can be said: this, not `observed`, must exceed a limit to breach it. */
  readonly certain: number;
  readonly requests: number;
  /** The baseline's value of the same metric; null without enough of its requests. */
  readonly baseline: number | null;
  readonly limits: Readonly<Partial<Record<GuardrailAction, number>>>;
  /** Says the observed values: `green fails 20.3 % of 118 requests`, `blue fails 0.1 %`. */
  readonly says: { readonly candidate: string; readonly baseline: string | null };
  readonly format: (value: number) => string;
}

const STRICTEST_FIRST = ["rollBack", "hold", "warn"] as const satisfies readonly GuardrailAction[];

/**
 * The strictest action whose limit is exceeded. A common cause is no reason to go back: when the baseline exceeds the
 * same limit in the same window, a roll back becomes a hold.
 */
export function judge(measure: Measure): RuleVerdict {
  const { rule, observed, requests, limits, says, format } = measure;
  const facts = { rule, observed, requests, lacking: null } as const;
  for (const action of STRICTEST_FIRST) {
    const limit = limits[action];
    if (limit === undefined || measure.certain <= limit) continue;
    const common = measure.baseline !== null && measure.baseline > limit && action === "rollBack";
    const outcome = common ? "hold" : action;
    const baseline = says.baseline === null ? "" : `; ${says.baseline}`;
    const why = common ? ", beyond the same limit, so the cause is common to both" : "";
    const message = `${says.candidate}; the limit is ${format(limit)}${baseline}${why}`;
    return { ...facts, outcome, breached: action, limit, message };
  }
  const limit = Math.min(...Object.values(limits));
  const chance = observed > limit ? ", which so few requests may exceed by chance" : "";
  const message = `${says.candidate}; the limit is ${format(limit)}${chance}`;
  return { ...facts, outcome: "within", breached: null, limit, message };
}
