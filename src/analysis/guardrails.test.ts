import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GuardrailSpec } from "../model/guardrail.ts";
import type { TrafficCounters } from "../model/traffic.ts";
import { NO_TRAFFIC } from "./counters.ts";
import { FATAL_CONNECT_FAILURES, fastPath } from "./fast-path.ts";
import { formatMilliseconds, formatRate } from "./format.ts";
import { evaluate } from "./guardrails.ts";
import { bucketOf } from "./quantile.ts";
import { OUTCOMES, type RuleVerdict } from "./verdict.ts";

const spec = (change: Partial<GuardrailSpec> = {}): GuardrailSpec => ({
  minRequests: 100,
  errorRate: { warn: 0.03, rollBack: 0.05 },
  latency: {},
  ...change,
});
const names = { candidate: "green", baseline: "blue" };
const traffic = (requests: number, failures: number, ms = 10): TrafficCounters => {
  const latency = [...NO_TRAFFIC.latency];
  latency[bucketOf(ms)] = requests;
  return { ...NO_TRAFFIC, requests, failures, latency };
};
const one = (verdicts: readonly RuleVerdict[]): RuleVerdict => {
  expect(verdicts).toHaveLength(1);
  const [verdict] = verdicts;
  if (verdict === undefined) throw new Error("there is none");
  return verdict;
};

describe("the error rate", () => {
  it("rolls back beyond the limit, and says both sides' numbers", () => {
    const verdict = one(evaluate(spec(), { candidate: traffic(118, 24), baseline: traffic(1_000, 1) }, names));
    expect(verdict).toMatchObject({
      rule: "errorRate",
      outcome: "rollBack",
      breached: "rollBack",
      limit: 0.05,
      requests: 118,
    });
    expect(verdict.message).toBe("green fails 20.3 % of 118 requests; the limit is 5 %; blue fails 0.1 %");
  });

  it("warns between the limits, and is within at the limit itself", () => {
    expect(one(evaluate(spec(), { candidate: traffic(100, 4), baseline: null }, names))).toMatchObject({
      outcome: "warn",
      limit: 0.03,
    });
    expect(one(evaluate(spec(), { candidate: traffic(100, 3), baseline: null }, names))).toMatchObject({
      outcome: "within",
    });
    expect(one(evaluate(spec(), { candidate: traffic(100, 5), baseline: null }, names))).toMatchObject({
      outcome: "warn",
    });
  });

  it("has no verdict without enough requests, whatever they say", () => {
    const verdict = one(evaluate(spec(), { candidate: traffic(99, 99), baseline: traffic(1_000, 0) }, names));
    expect(verdict).toMatchObject({ outcome: "not-enough-evidence", lacking: "candidate", observed: 1, limit: null });
    expect(verdict.message).toContain("99 of the 100 requests");
    for (const minRequests of [0, 1]) {
      expect(one(evaluate(spec({ minRequests }), { candidate: NO_TRAFFIC, baseline: null }, names))).toMatchObject({
        outcome: "not-enough-evidence",
        observed: null,
      });
    }
  });

  it("holds when the old environment breaches the same limit in the same window: a common cause", () => {
    const verdict = one(evaluate(spec(), { candidate: traffic(100, 50), baseline: traffic(100, 40) }, names));
    expect(verdict).toMatchObject({ outcome: "hold", breached: "rollBack" });
    expect(verdict.message).toContain("common to both");
    // Three requests of the old one are no evidence of a common cause.
    expect(one(evaluate(spec(), { candidate: traffic(100, 50), baseline: traffic(3, 3) }, names)).outcome).toBe(
      "rollBack",
    );
  });

  it("property: more failures never make the verdict milder, and no data never makes one", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.nat(500),
        fc.nat(500),
        fc.nat(500),
        (requests, a, b, failing) => {
          const [fewer, more] = [Math.min(a, b, requests), Math.min(Math.max(a, b), requests)];
          const rank = (failures: number): number =>
            OUTCOMES.indexOf(
              one(evaluate(spec(), { candidate: traffic(requests, failures), baseline: traffic(500, failing) }, names))
                .outcome,
            );
          expect(rank(more)).toBeGreaterThanOrEqual(rank(fewer));
          const empty = one(
            evaluate(spec({ minRequests: 0 }), { candidate: NO_TRAFFIC, baseline: traffic(500, failing) }, names),
          );
          expect(empty.outcome).toBe("not-enough-evidence");
        },
      ),
    );
  });
});

describe("latency", () => {
  const p95 = (limits: GuardrailSpec["latency"]["p95"]): GuardrailSpec =>
    spec({ errorRate: {}, latency: { p95: limits ?? {} } });

  it("is judged against a duration", () => {
    const limits = p95({ warn: { ms: 100 }, rollBack: { ms: 1_000 } });
    expect(one(evaluate(limits, { candidate: traffic(200, 0, 50), baseline: null }, names)).outcome).toBe("within");
    expect(one(evaluate(limits, { candidate: traffic(200, 0, 300), baseline: null }, names))).toMatchObject({
      rule: "latency.p95",
      outcome: "warn",
      limit: 100,
    });
    const slow = one(evaluate(limits, { candidate: traffic(200, 0, 3_000), baseline: traffic(200, 0, 30) }, names));
    expect(slow.outcome).toBe("rollBack");
    expect(slow.message).toMatch(
      /^p95 of green is [\d.]+ s over 200 requests; the limit is 1 s; that of blue is \d+ ms$/,
    );
    expect(
      one(evaluate(limits, { candidate: traffic(200, 0, 3_000), baseline: traffic(200, 0, 3_000) }, names)).outcome,
    ).toBe("hold");
  });

  it("is judged against a multiple of the old environment's", () => {
    const limits = p95({ rollBack: { factor: 2 } });
    expect(
      one(evaluate(limits, { candidate: traffic(200, 0, 31), baseline: traffic(200, 0, 10) }, names)).outcome,
    ).toBe("rollBack");
    expect(
      one(evaluate(limits, { candidate: traffic(200, 0, 15), baseline: traffic(200, 0, 10) }, names)).outcome,
    ).toBe("within");
    const alone = one(evaluate(limits, { candidate: traffic(200, 0, 31), baseline: traffic(50, 0, 10) }, names));
    expect(alone).toMatchObject({ outcome: "not-enough-evidence", lacking: "baseline" });
    expect(
      one(evaluate(limits, { candidate: traffic(200, 0, 31), baseline: null }, { ...names, baseline: null })),
    ).toMatchObject({ lacking: "baseline" });
  });

  it("does not take a few slow first requests, or the luck of a few, for a slow release", () => {
    const limits = p95({ rollBack: { factor: 2 } });
    const cold = { ...traffic(39, 0, 1.5) };
    const latency = [...cold.latency];
    latency[bucketOf(1.5)] = 35;
    latency[bucketOf(6.4)] = 4;
    const verdict = one(
      evaluate(
        { ...limits, minRequests: 30 },
        { candidate: { ...cold, latency }, baseline: traffic(400, 0, 1.5) },
        names,
      ),
    );
    expect(verdict).toMatchObject({ outcome: "within", breached: null });
    expect(verdict.observed).toBeGreaterThan(verdict.limit ?? Number.NaN);
    expect(verdict.message).toContain("by chance");
    // All of them slow is no luck, nor are fifty baseline requests enough to know its p95.
    expect(
      one(
        evaluate(
          { ...limits, minRequests: 30 },
          { candidate: traffic(39, 0, 6.4), baseline: traffic(400, 0, 1.5) },
          names,
        ),
      ).outcome,
    ).toBe("rollBack");
    expect(
      one(
        evaluate(
          { ...limits, minRequests: 30 },
          { candidate: traffic(39, 0, 6.4), baseline: traffic(50, 0, 1.5) },
          names,
        ),
      ).lacking,
    ).toBe("baseline");
  });

  it("still judges durations when there is nothing to compare with", () => {
    const limits = p95({ warn: { ms: 10 }, rollBack: { factor: 2 } });
    expect(one(evaluate(limits, { candidate: traffic(200, 0, 31), baseline: null }, names)).outcome).toBe("warn");
  });
});

describe("rules together", () => {
  it("has one for every rule that has a limit, and none without limits", () => {
    const limit = { rollBack: { ms: 1 } };
    const all = spec({ latency: { p50: limit, p95: limit, p99: limit } });
    const verdicts = evaluate(all, { candidate: traffic(100, 100, 50), baseline: null }, names);
    expect(verdicts.map((verdict) => verdict.rule)).toEqual(["errorRate", "latency.p50", "latency.p95", "latency.p99"]);
    expect(
      evaluate(spec({ errorRate: {}, latency: { p50: {} } }), { candidate: traffic(100, 100), baseline: null }, names),
    ).toEqual([]);
  });
});

describe("the fast path", () => {
  it("convicts an environment that refuses and has no healthy instance, or loops", () => {
    const vitals = { connectFailures: FATAL_CONNECT_FAILURES, healthyInstances: 0, crashLoop: null };
    expect(fastPath(vitals, "green")).toMatchObject({
      rule: "connectFailures",
      outcome: "rollBack",
      message: "green refused 5 connections and has no healthy instance",
    });
    expect(fastPath({ ...vitals, healthyInstances: 1 }, "green")).toBeNull();
    expect(fastPath({ ...vitals, connectFailures: FATAL_CONNECT_FAILURES - 1 }, "green")).toBeNull();
    expect(fastPath({ connectFailures: 0, healthyInstances: 2, crashLoop: "exited with 1" }, "green")).toMatchObject({
      rule: "crashLoop",
      outcome: "rollBack",
    });
  });
});

it("writes numbers as a person reads them", () => {
  expect([0, 0.00034, 0.001, 0.05, 0.2033, 1].map(formatRate)).toEqual([
    "0 %",
    "0.034 %",
    "0.1 %",
    "5 %",
    "20.3 %",
    "100 %",
  ]);
  expect([3.21, 240.4, 1_250, 60_000].map(formatMilliseconds)).toEqual(["3.2 ms", "240 ms", "1.25 s", "60 s"]);
});
