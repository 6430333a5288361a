import { describe, expect, it } from "vitest";
import { chargesOf } from "./charge.ts";
import { shareOf, shownGoodBy } from "./sources.ts";
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
  const spec = {
    minRequests: 1,
    alpha: 0.01,
    worseThanActive: "rollBack",
    errorRate: { rollBack: 0.05 },
    latency: { p95: { rollBack: { factor: 2 } } },
  } as const;

  it("spend together no more than one alone", () => {
    const spent = (trials: number) =>
      trials *
      chargesOf(shareOf(spec, trials)).reduce(
        (sum, { alpha, rule }) => sum + alpha * (rule === "errorRate" ? 2 : 1),
        0,
      );
    expect(spent(1)).toBeCloseTo(0.01, 12);
    expect(spent(2)).toBeCloseTo(0.01, 12);
    expect(shareOf(spec, 1)).toBe(spec);
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
