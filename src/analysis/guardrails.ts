import type { GuardrailSpec, LatencyQuantile } from "../model/guardrail.ts";
import { formatRate } from "./format.ts";
import { lacksRequests } from "./lacking.ts";
import { latencyRule, QUANTILES } from "./latency.ts";
import { judge } from "./threshold.ts";
import type { Evidence, RuleVerdict, Subjects } from "./verdict.ts";

/**
 * One verdict for each rule that has a limit. A rule speaks once the new environment has `minRequests` in the window. The
 * error rate is a plain threshold: it compares at every moment with the same limit, so near the limit and near
 * `minRequests` chance alone can convict; a sequential test takes its place behind this same function.
 */
export function evaluate(spec: GuardrailSpec, evidence: Evidence, subjects: Subjects): readonly RuleVerdict[] {
  const verdicts: RuleVerdict[] = [];
  if (Object.keys(spec.errorRate).length > 0) verdicts.push(errorRate(spec, evidence, subjects));
  for (const name of Object.keys(QUANTILES) as LatencyQuantile[]) {
    const limits = spec.latency[name];
    if (limits === undefined || Object.keys(limits).length === 0) continue;
    verdicts.push(latencyRule(name, limits, spec.minRequests, evidence, subjects));
  }
  return verdicts;
}

function errorRate(spec: GuardrailSpec, { candidate, baseline }: Evidence, subjects: Subjects): RuleVerdict {
  const { requests, failures } = candidate;
  const observed = requests === 0 ? null : failures / requests;
  if (observed === null || requests < spec.minRequests) {
    return lacksRequests("errorRate", observed, requests, spec.minRequests, subjects);
  }
  const other = baseline !== null && baseline.requests > 0 ? baseline.failures / baseline.requests : null;
  const weighty = baseline !== null && baseline.requests >= spec.minRequests;
  return judge({
    rule: "errorRate",
    observed,
    certain: observed,
    requests,
    baseline: weighty ? other : null,
    limits: spec.errorRate,
    says: {
      candidate: `${subjects.candidate} fails ${formatRate(observed)} of ${String(requests)} requests`,
      baseline: other === null ? null : `${subjects.baseline ?? "the other"} fails ${formatRate(other)}`,
    },
    format: formatRate,
  });
}
