import { ALPHA, type GuardrailAction, type GuardrailSpec, type LatencyQuantile } from "../model/guardrail.ts";
import type { Milliseconds } from "../model/time.ts";
import type { GuardrailRule, MetricRuleName } from "./verdict.ts";

export const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const satisfies Record<LatencyQuantile, number>;

/**
 * A reference is taken early, from what there is, and once more from enough: from so many requests of the active
 * environment, and so many of them that are expected beyond the quantile.
 */
const REFERENCES = { early: { requests: 100, beyond: 12.5 }, full: { requests: 1_000, beyond: 50 } } as const;
type Stage = keyof typeof REFERENCES;

/** What counts as a failure for a charge. */
export type Counting =
  | { readonly kind: "failed" }
  | { readonly kind: "slower"; readonly ms: Milliseconds }
  | {
      readonly kind: "slower-than-active";
      readonly quantile: LatencyQuantile;
      readonly factor: number;
      readonly stage: Stage;
    };

/** One limit that is tested: a rule may have several, one for each action. */
export interface Charge {
  /** Names its test in what is stored. */
  readonly key: string;
  readonly rule: Exclude<
    GuardrailRule,
    MetricRuleName | "worseThanActive" | "activeUsers" | "connectFailures" | "crashLoop"
  >;
  readonly action: GuardrailAction;
  /** The share of requests that may count as failures. */
  readonly limit: number;
  readonly alpha: number;
  readonly counting: Counting;
}

/** Of the α of all rules. */
const ERROR_RATE_SHARE = 0.5;
/** Of a latency rule's α; the rest is for the full one. */
const EARLY_SHARE = 0.1;
const ACTIONS = ["rollBack", "hold", "warn"] as const satisfies readonly GuardrailAction[];

/**
 * The tests of a specification, the strictest action of each rule first. Only what rolls back shares α: the error rate's
 * rules have half of it, halved again when the comparison with the active environment rolls back too, the latency rules
 * and the shares of metrics that roll back the other half in equal parts. A warning or a hold has the α that its rule would have to roll back.
 */
export function chargesOf(spec: GuardrailSpec): readonly Charge[] {
  const quantiles = (Object.keys(QUANTILES) as LatencyQuantile[]).filter((name) => spec.latency[name] !== undefined);
  const alpha = errorRateAlpha(spec);
  const charges = ACTIONS.flatMap((action): Charge[] => {
    const limit = spec.errorRate[action];
    if (limit === undefined) return [];
    return [{ key: `errorRate.${action}`, rule: "errorRate", action, limit, alpha, counting: { kind: "failed" } }];
  });
  const each = otherAlpha(spec);
  return [...charges, ...quantiles.flatMap((name) => latencyCharges(spec, name, each))];
}

/** α of each rule that is not the error rate's: the latencies', and those over metrics that count what is bad and all. */
export function otherAlpha(spec: GuardrailSpec): number {
  const { latency, databaseErrors, custom = [] } = spec;
  const shares = [databaseErrors, ...custom].filter((metric) => metric?.counting === "share");
  const rules = [...Object.values(latency), ...shares].filter((limits) => limits?.rollBack !== undefined);
  return (alphaOf(spec) * (1 - ERROR_RATE_SHARE)) / Math.max(1, rules.length);
}

/** α of each of the error rate's rules. */
export function errorRateAlpha(spec: GuardrailSpec): number {
  return alphaOf(spec) * ERROR_RATE_SHARE * (spec.worseThanActive === "rollBack" ? 0.5 : 1);
}

/** Requests of the active environment that a reference is taken from. */
export function neededFor({ quantile, stage }: Extract<Counting, { kind: "slower-than-active" }>): number {
  const { requests, beyond } = REFERENCES[stage];
  return Math.max(requests, Math.round(beyond / (1 - QUANTILES[quantile])));
}

function latencyCharges(spec: GuardrailSpec, name: LatencyQuantile, alpha: number): Charge[] {
  const rule = `latency.${name}` as const;
  const share = { rule, limit: 1 - QUANTILES[name] };
  return ACTIONS.flatMap((action): Charge[] => {
    const limit = spec.latency[name]?.[action];
    if (limit === undefined) return [];
    const key = `${rule}.${action}`;
    if ("ms" in limit) return [{ ...share, key, action, alpha, counting: { kind: "slower", ms: limit.ms } }];
    const against = { kind: "slower-than-active", quantile: name, factor: limit.factor } as const;
    return [
      { ...share, key, action, alpha: alpha * (1 - EARLY_SHARE), counting: { ...against, stage: "full" } },
      { ...share, key: `${key}.early`, action, alpha: alpha * EARLY_SHARE, counting: { ...against, stage: "early" } },
    ];
  });
}

function alphaOf({ alpha }: GuardrailSpec): number {
  return alpha ?? ALPHA;
}
