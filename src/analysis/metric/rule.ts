import type { GuardrailAction, GuardrailSpec } from "../../model/guardrail.ts";
import type { MetricGuardrail } from "../../model/metric.ts";
import { otherAlpha } from "../charge.ts";
import type { MetricRuleName } from "../verdict.ts";

/** A guardrail over a metric, by the name that verdicts and events give it. */
export interface MetricRule {
  readonly name: MetricRuleName;
  readonly guardrail: MetricGuardrail;
  /** For a share: the odds of a false alarm. */
  readonly alpha: number;
}

/** From the strictest. */
export const ACTIONS = ["rollBack", "hold", "warn"] as const satisfies readonly GuardrailAction[];

/** Limits that are shown to be kept before a step goes on by evidence: not those that warn, unless there is no other. */
export function provenOf({ guardrail }: MetricRule): readonly GuardrailAction[] {
  const given = ACTIONS.filter((action) => guardrail[action] !== undefined);
  const strict = given.filter((action) => action !== "warn");
  return strict.length === 0 ? given : strict;
}

export function metricRules(spec: GuardrailSpec): readonly MetricRule[] {
  const { databaseErrors, connectionPool, custom = [] } = spec;
  const alpha = otherAlpha(spec);
  return [
    ...(databaseErrors === undefined ? [] : [{ name: "databaseErrors", guardrail: databaseErrors, alpha } as const]),
    ...(connectionPool === undefined ? [] : [{ name: "connectionPool", guardrail: connectionPool, alpha } as const]),
    ...custom.map((guardrail) => ({ name: `custom.${guardrail.name}`, guardrail, alpha }) as const),
  ];
}
