import { describe, expect, it } from "vitest";
import type { GuardrailSpec } from "../model/guardrail.ts";
import { chargesOf } from "./charge.ts";
import { rulesOfTrial, shownGoodBy } from "./sources.ts";
import type { Outcome, RuleVerdict } from "./verdict.ts";

const says = (outcome: Outcome): RuleVerdict => ({
  rule: "errorRate",
  outcome,
  breached: null,
  observed: null,
  limit: null,
  requests: 1,
  lacking: outcome === "not-enough-evidence" ? "candidate" : null,
  message: outcome,
});

describe("several trials of one deployment", () => {
  const guardrails = {
    minRequests: 1,
    alpha: 0.01,
    worseThanActive: "rollBack",
    errorRate: { rollBack: 0.05 },
    latency: { p95: { rollBack: { factor: 2 } } },
  } as const;

  it("spend together no more than one alone", () => {
    const probes = { checks: [], everyMs: 1_000, timeoutMs: 1_000 };
    const spent = (rules: GuardrailSpec) =>
      chargesOf(rules).reduce((sum, { alpha, rule }) => sum + alpha * (rule === "errorRate" ? 2 : 1), 0);
    expect(spent(rulesOfTrial({ guardrails }))).toBeCloseTo(0.01, 12);
    expect(2 * spent(rulesOfTrial({ guardrails, probes }))).toBeCloseTo(0.01, 12);
    expect(rulesOfTrial({ guardrails })).toBe(guardrails);
  });

  it.each<[Outcome[], Outcome[], "users" | "probes" | null]>([
    [["within"], [], "users"],
    [["within"], ["not-enough-evidence"], "users"],
    [["not-enough-evidence"], ["within"], "probes"],
    [[], ["within"], "probes"],
    [[], [], null],
    [[], ["not-enough-evidence"], null],
    [["warn"], ["within"], null],
    [["hold", "within"], ["within"], null],
    [["within"], ["warn"], null],
    [["within"], ["rollBack"], null],
  ])("users say %j, probes %j: shown good by %s", (users, probes, by) => {
    expect(shownGoodBy(users.map(says), probes.map(says))).toBe(by);
  });
});
