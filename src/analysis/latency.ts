import type { GuardrailAction, LatencyLimit, LatencyQuantile } from "../model/guardrail.ts";
import type { TrafficCounters } from "../model/traffic.ts";
import { formatMilliseconds } from "./format.ts";
import { atRank, countOf, quantile } from "./quantile.ts";
import { rankBounds } from "./rank-bounds.ts";
import { judge } from "./threshold.ts";
import type { Evidence, RuleVerdict, Subjects } from "./verdict.ts";
import { lacksBaseline, lacksRequests } from "./lacking.ts";

export const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const satisfies Record<LatencyQuantile, number>;

export type LatencyLimits = Readonly<Partial<Record<GuardrailAction, LatencyLimit>>>;

/**
 * A limit on a quantile. The quantile of a hundred requests, or of an app's first ones, says little of the true one, so a
 * breach needs the new environment's at the least it can be to exceed the limit, and a multiple is one of the baseline's
 * at the most that it can be.
 */
export function latencyRule(
  name: LatencyQuantile,
  limits: LatencyLimits,
  minRequests: number,
  { candidate, baseline }: Evidence,
  subjects: Subjects,
): RuleVerdict {
  const rule = `latency.${name}` as const;
  const q = QUANTILES[name];
  const requests = countOf(candidate.latency);
  const observed = quantile(candidate.latency, q)?.estimate ?? null;
  if (observed === null || requests < minRequests)
    return lacksRequests(rule, observed, requests, minRequests, subjects);
  const lowest = rankBounds(requests, q).lower;
  const other = baseline === null ? null : readBaseline(baseline, q, minRequests);
  const says = `${name} of ${subjects.candidate} is ${formatMilliseconds(observed)} over ${String(requests)} requests`;
  const absolute = absoluteLimits(limits, other?.highest ?? null);
  if (Object.keys(absolute).length === 0) return lacksBaseline(rule, observed, requests, says, subjects);
  const otherSays = `that of ${subjects.baseline ?? "the other"} is ${formatMilliseconds(other?.estimate ?? 0)}`;
  return judge({
    rule,
    observed,
    certain: lowest === null ? 0 : (atRank(candidate.latency, lowest)?.estimate ?? 0),
    requests,
    baseline: other?.estimate ?? null,
    limits: absolute,
    says: { candidate: says, baseline: other === null ? null : otherSays },
    format: formatMilliseconds,
  });
}

interface BaselineQuantile {
  readonly estimate: number;
  /** The most that it can be; null when its requests are too few to tell. */
  readonly highest: number | null;
}

function readBaseline({ latency }: TrafficCounters, q: number, minRequests: number): BaselineQuantile | null {
  const requests = countOf(latency);
  const estimate = quantile(latency, q)?.estimate;
  if (estimate === undefined || requests < minRequests) return null;
  const { upper } = rankBounds(requests, q);
  return { estimate, highest: upper === null ? null : (atRank(latency, upper)?.estimate ?? null) };
}

/** Multiples turned into milliseconds; those of a baseline that is not known are left out. */
function absoluteLimits(limits: LatencyLimits, baseline: number | null): Partial<Record<GuardrailAction, number>> {
  const absolute: Partial<Record<GuardrailAction, number>> = {};
  for (const [action, limit] of Object.entries(limits) as [GuardrailAction, LatencyLimit][]) {
    if ("ms" in limit) absolute[action] = limit.ms;
    else if (baseline !== null) absolute[action] = limit.factor * baseline;
  }
  return absolute;
}
