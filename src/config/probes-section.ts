import { map } from "./map.ts";
import { duration } from "./quantities.ts";
import type { Finding } from "./rule.ts";
import { httpChecks } from "./validate-section.ts";

/** `deploy.probes`: requests of Teal's own to both environments, for evidence where users' are few. */
export const probesSection = map({
  checks: httpChecks
    .meta({
      description:
        "What is asked, one after the other; `validate.checks` unless given. Choose what costs and changes nothing.",
    })
    .exactOptional(),
  every: duration("100ms", "1h")
    .meta({
      description: "How often each environment is asked. No more than 4 of them are under way to one at a time.",
    })
    .prefault("1s"),
  timeout: duration("10ms", "5m")
    .meta({ description: "One without its whole answer by then has failed." })
    .prefault("5s"),
}).meta({
  description:
    "While a step watches, Teal asks the instances of both environments itself. The answers are evidence of their own, by the same guardrails, and no part of what is counted of users.",
});

/** They need something to ask, a rule that judges, and a step that watches. `written`: of `deploy`. */
export function probesArePossible(written: unknown): Finding[] {
  const { probes, validate, guardrails, shift, bake } = (written ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof probes !== "object" || probes === null) return [];
  const { checks: own, timeout } = probes as Readonly<Record<string, unknown>>;
  const checks = own ?? ((validate ?? {}) as Readonly<Record<string, unknown>>)["checks"];
  const { errorRate, latency } = (guardrails ?? {}) as Readonly<Record<string, object | undefined>>;
  const rules = [...Object.keys(errorRate ?? {}), ...Object.keys(latency ?? {})];
  const { forMs } = (bake ?? {}) as Readonly<Record<string, unknown>>;
  const found: Finding[] = [];
  if (Array.isArray(checks)) {
    if (checks.length === 0)
      found.push({ at: ["probes"], message: "have nothing to ask: add checks here, or to deploy.validate" });
    const slowest = Math.max(0, ...(checks as readonly Readonly<Record<string, unknown>>[]).map(withinOf));
    if (typeof timeout === "number" && slowest > timeout)
      found.push({
        at: ["probes", "timeout"],
        message: "is shorter than `within` of a check, which would never be reached",
      });
  }
  if (rules.length === 0) found.push({ at: ["probes"], message: "need a limit in guardrails.errorRate or latency" });
  if (Array.isArray(shift) && shift.length === 0 && forMs === 0)
    found.push({ at: ["probes"], message: "are never sent: no step watches, as shift has none and bake is 0" });
  return found;
}

function withinOf({ withinMs }: Readonly<Record<string, unknown>>): number {
  return typeof withinMs === "number" ? withinMs : 0;
}
