import { metricRules } from "../../analysis/metric/rule.ts";
import type { ServiceSpec } from "../../model/service.ts";
import type { EngineParts } from "../parts.ts";

/** What the guardrails of a deployment read, for its plan. */
export function metricReads(parts: EngineParts, spec: ServiceSpec): readonly string[] {
  return metricRules(spec.deploy.guardrails).map(({ name, guardrail: { source, everyMs } }) => {
    const what = parts.metrics.get(source.driver)?.describe(source.settings) ?? `unknown source ${source.driver}`;
    return `${name}: ${what}, every ${String(everyMs / 1_000)} s`;
  });
}
