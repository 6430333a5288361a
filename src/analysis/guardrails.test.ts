import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GuardrailSpec } from "../model/guardrail.ts";
import type { TrafficCounters } from "../model/traffic.ts";
import { NO_TRAFFIC, plus } from "./counters.ts";
import { chargesOf } from "./charge.ts";
import { FATAL_CONNECT_FAILURES, fastPath } from "./fast-path.ts";
import { formatCount, formatMilliseconds, formatRate } from "./format.ts";
import { evaluate, isShownGood } from "./guardrails.ts";
import type { Latencies } from "./latencies.ts";
import { latenciesOf } from "./testing.ts";
import { Trial } from "./trial.ts";
import { OUTCOMES, type RuleVerdict, type Subjects } from "./verdict.ts";

const spec = (change: Partial<GuardrailSpec> = {}): GuardrailSpec => ({
  minRequests: 1,
  errorRate: { warn: 0.03, rollBack: 0.05 },
  latency: {},
  ...change,
});
const names: Subjects = { candidate: "green", baseline: "blue" };
const traffic = (requests: number, failures = 0, ms = 10): TrafficCounters => {
  const { latency, fineLatency } = latenciesOf([ms]);
  const all = (counts: readonly number[]): number[] => counts.map((count) => count * requests);
  return {
    ...NO_TRAFFIC,
    requests,
    failures,
    latency: all(latency),
    fineLatency: { ...fineLatency, counts: all(fineLatency.counts) },
  };
};

/** A trial that is fed batch after batch, 100 ms apart unless told. */
class Court {
  trial: Trial;
  #at = 0;
  #green = NO_TRAFFIC;
  #blue = NO_TRAFFIC;
  readonly #subjects: Subjects;

  constructor(guardrails: GuardrailSpec, subjects = names, before?: Latencies) {
    this.#subjects = subjects;
    this.trial = Trial.begin(guardrails, before);
    this.see(NO_TRAFFIC);
  }

  see(green: TrafficCounters, blue = NO_TRAFFIC, afterMs = 100): this {
    this.#at += afterMs;
    this.#green = plus(this.#green, green);
    this.#blue = plus(this.#blue, blue);
    const environments = { green: this.#green, blue: this.#blue };
    this.trial = this.trial.add({ service: "web", epoch: "a", at: this.#at, environments }, this.#subjects);
    return this;
  }

  verdicts(): readonly RuleVerdict[] {
    return evaluate(this.trial, this.#subjects);
  }

  of(rule: RuleVerdict["rule"]): RuleVerdict {
    const found = this.verdicts().find((verdict) => verdict.rule === rule);
    if (found === undefined) throw new Error(`there is none of ${rule}`);
    return found;
  }
}

describe("the error rate", () => {
  it("rolls back beyond the limit, and says it as a person understands it", () => {
    const court = new Court(spec()).see(traffic(41, 0), traffic(800, 1)).see(traffic(20, 20), traffic(180, 1));
    expect(court.of("errorRate")).toMatchObject({
      outcome: "rollBack",
      breached: "rollBack",
      limit: 0.05,
      requests: 61,
    });
    expect(court.of("errorRate").message).toBe(
      "green fails 32.8 % (20 of 61), blue 0.2 %; the limit is 5 %; the odds that this is chance: below 1 in 2,000; decided after 61 requests",
    );
  });

  it("warns beyond the milder limit alone, and only while the share is beyond it", () => {
    const court = new Court(spec());
    for (let i = 0; i < 100; i++) court.see(traffic(100, 4));
    expect(court.of("errorRate")).toMatchObject({ outcome: "warn", breached: "warn", limit: 0.03 });
    for (let i = 0; i < 100; i++) court.see(traffic(100, 0));
    expect(court.of("errorRate").outcome).not.toBe("warn");
  });

  it("says that a release is not worse once that is shown, and till then that it is not", () => {
    const court = new Court(spec()).see(traffic(100, 0), traffic(900, 0));
    expect(court.of("errorRate")).toMatchObject({ outcome: "not-enough-evidence", lacking: "candidate" });
    expect(isShownGood(court.verdicts())).toBe(false);
    court.see(traffic(300, 0), traffic(900, 0));
    expect(court.of("errorRate")).toMatchObject({ outcome: "within", lacking: null });
    expect(isShownGood(court.verdicts())).toBe(true);
  });

  it("takes the active environment's own failures into account", () => {
    const court = new Court(spec({ errorRate: { rollBack: 0.2 } }));
    for (let i = 0; i < 50; i++) court.see(traffic(1_000, 40), traffic(9_000, 360));
    expect(court.of("errorRate").outcome).toBe("within");
  });

  it("has no verdict below minRequests, whatever they say", () => {
    const court = new Court(spec({ minRequests: 100 })).see(traffic(99, 99));
    expect(court.of("errorRate")).toMatchObject({ outcome: "not-enough-evidence", lacking: "candidate", observed: 1 });
    expect(court.of("errorRate").message).toContain("99 of the 100 requests");
    expect(court.see(traffic(1, 0)).of("errorRate").outcome).toBe("rollBack");
  });

  it("holds while the active environment breaches the same limit, and judges anew when that is over", () => {
    const court = new Court(spec());
    for (let i = 0; i < 100; i++) court.see(traffic(20, 0), traffic(180, 0));
    for (let i = 0; i < 5; i++) court.see(traffic(20, 20), traffic(180, 180));
    expect(court.of("errorRate")).toMatchObject({ outcome: "hold", breached: "rollBack" });
    expect(court.of("errorRate").message).toContain("common to both");
    for (let i = 0; i < 200; i++) court.see(traffic(20, 0), traffic(180, 0));
    expect(court.of("errorRate").breached).toBeNull();
    for (let i = 0; i < 5; i++) court.see(traffic(20, 20), traffic(180, 0));
    expect(court.of("errorRate").outcome).toBe("rollBack");
  });

  it("takes three requests of the active environment for no evidence of a common cause", () => {
    expect(new Court(spec()).see(traffic(100, 50), traffic(3, 3)).of("errorRate").outcome).toBe("rollBack");
  });

  it("property: more failures never make the verdict milder, and no data never makes one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(500), fc.nat(500), (requests, a, b) => {
        const [fewer, more] = [Math.min(a, b, requests), Math.min(Math.max(a, b), requests)];
        const rank = (failures: number): number =>
          OUTCOMES.indexOf(new Court(spec()).see(traffic(requests, failures), traffic(500)).of("errorRate").outcome);
        expect(rank(more)).toBeGreaterThanOrEqual(rank(fewer));
        expect(new Court(spec()).see(NO_TRAFFIC, traffic(500)).of("errorRate").outcome).toBe("not-enough-evidence");
      }),
      { numRuns: 40 },
    );
  });
});

describe("failures of clients that keep to a side", () => {
  const rules = spec({ worseThanActive: "rollBack" });
  const fails = (requests: number, failures: number, failing: number, repeats = 0): TrafficCounters => ({
    ...traffic(requests, failures),
    clients: { failing, repeats },
  });
  const good = (requests: number): TrafficCounters => ({ ...traffic(requests), clients: { failing: 0, repeats: 0 } });

  it("convict as those of several, and of one or two never, however many they are", () => {
    const court = new Court(rules).see(good(100), good(900)).see(fails(100, 60, 2), good(900));
    expect(court.verdicts().map(({ rule, outcome }) => [rule, outcome])).toEqual([
      ["errorRate", "not-enough-evidence"],
    ]);
    expect(court.of("errorRate").message).toMatch(/; so far they are failures of fewer than 3 clients$/u);
    court.see(fails(1, 1, 1), good(9));
    expect(court.verdicts().map(({ outcome }) => outcome)).toEqual(["rollBack", "rollBack"]);
  });

  it("are left out where a client only tries again, but do not speak for the release", () => {
    const court = new Court(rules).see(good(5_000), good(45_000));
    for (let i = 0; i < 100; i++) court.see(fails(50, 49, i < 3 ? 1 : 0, 49), good(450));
    expect(court.verdicts()).toMatchObject([{ rule: "errorRate", outcome: "not-enough-evidence" }]);
    const all = new Court(rules).see(good(5_000), good(45_000));
    for (let i = 0; i < 100; i++) all.see(fails(50, 49, i < 3 ? 1 : 0), good(450));
    expect(all.of("errorRate").outcome).toBe("rollBack");
  });

  it("are not told apart by a data plane of before", () => {
    expect(new Court(rules).see(traffic(100, 60), traffic(900)).of("errorRate").outcome).toBe("rollBack");
  });
});

describe("worse than the active environment", () => {
  const rules = spec({ errorRate: { rollBack: 0.5 }, worseThanActive: "rollBack" });

  it("convicts below the absolute limit, and says so", () => {
    const court = new Court(rules);
    for (let i = 0; i < 60; i++) court.see(traffic(10, i % 2), traffic(90, 0));
    expect(court.of("worseThanActive")).toMatchObject({ outcome: "rollBack", limit: 0.01 });
    expect(court.of("worseThanActive").message).toMatch(
      /^green fails 5 % \(30 of 600\), blue 0 %: more than 2 times as/,
    );
  });

  it("convicts nobody where both fail alike, nor where there is nobody to compare with", () => {
    const court = new Court(rules);
    for (let i = 0; i < 100; i++) court.see(traffic(10, i % 2), traffic(90, 4));
    expect(court.verdicts().map(({ rule }) => rule)).toEqual(["errorRate"]);
    const alone = new Court(rules, { ...names, baseline: null });
    for (let i = 0; i < 100; i++) alone.see(traffic(10, i % 2), traffic(90, 0));
    expect(alone.verdicts().map(({ rule }) => rule)).toEqual(["errorRate"]);
  });
});

describe("latency", () => {
  const p95 = (limits: GuardrailSpec["latency"]["p95"]): GuardrailSpec =>
    spec({ errorRate: {}, latency: { p95: limits ?? {} } });

  it("is judged against a duration", () => {
    const limits = p95({ warn: { ms: 100 }, rollBack: { ms: 1_000 } });
    expect(new Court(limits).see(traffic(200, 0, 50)).of("latency.p95").outcome).toBe("within");
    expect(new Court(limits).see(traffic(200, 0, 300)).of("latency.p95")).toMatchObject({
      outcome: "warn",
      limit: 100,
    });
    const slow = new Court(limits).see(traffic(200, 0, 3_000), traffic(200, 0, 30)).of("latency.p95");
    expect(slow.outcome).toBe("rollBack");
    expect(slow.message).toMatch(
      /^p95 of green is [\d.]+ s, that of blue \d+ ms; 100 % \(200 of 200\) take longer than 1 s/,
    );
    expect(new Court(limits).see(traffic(200, 0, 3_000), traffic(200, 0, 3_000)).of("latency.p95").outcome).toBe(
      "hold",
    );
  });

  it("is judged against a multiple of the active environment's, frozen once that is known", () => {
    const limits = p95({ rollBack: { factor: 2 } });
    const court = new Court(limits).see(traffic(200, 0, 31), traffic(90, 0, 10));
    expect(court.of("latency.p95")).toMatchObject({ outcome: "not-enough-evidence", lacking: "baseline" });
    expect(court.see(NO_TRAFFIC, traffic(1_000, 0, 10)).of("latency.p95").outcome).toBe("rollBack");
    const { limit } = court.of("latency.p95");
    expect(court.see(NO_TRAFFIC, traffic(9_000, 0, 5_000)).of("latency.p95").limit).toBe(limit);
    expect(new Court(limits).see(traffic(200, 0, 15), traffic(1_000, 0, 10)).of("latency.p95").outcome).toBe("within");
  });

  it("knows the active environment's from before the shift", () => {
    const before = traffic(5_000, 0, 10);
    const court = new Court(p95({ rollBack: { factor: 2 } }), names, before).see(traffic(20, 0, 31), traffic(1, 0, 31));
    expect(court.of("latency.p95").outcome).toBe("rollBack");
  });

  it("does not take a few slow first requests for a slow release", () => {
    const court = new Court(p95({ rollBack: { factor: 2 } })).see(NO_TRAFFIC, traffic(1_000, 0, 1.5));
    court.see(traffic(2, 0, 6.4)).see(traffic(36, 0, 1.5));
    expect(court.of("latency.p95").breached).toBeNull();
  });

  it("still judges durations when there is nothing to compare with", () => {
    const court = new Court(p95({ warn: { ms: 10 }, rollBack: { factor: 2 } }), { ...names, baseline: null });
    expect(court.see(traffic(200, 0, 31)).of("latency.p95").outcome).toBe("warn");
  });
});

describe("what only warns", () => {
  const before = traffic(5_000, 0, 1_200);
  const natural = (latency: GuardrailSpec["latency"], ms = 1_200): Court =>
    new Court(spec({ latency }), names, before).see(traffic(2_000, 0, ms), traffic(2_000, 0, 1_200));

  it("hinders no step of a service that is slower by its nature, as nothing could be shown", () => {
    const limits = { p50: { warn: { factor: 1.5 } }, p95: { warn: { ms: 1_000 }, rollBack: { factor: 2 } } };
    const court = natural(limits);
    expect(court.of("latency.p95")).toMatchObject({ outcome: "warn", proof: "shown" });
    expect(isShownGood(court.verdicts())).toBe(true);
    const slow = natural(limits, 2_000);
    expect(slow.of("latency.p50")).toMatchObject({ outcome: "warn", proof: "not-needed" });
    expect(isShownGood(natural({ p95: { warn: { ms: 1_000 }, hold: { ms: 1_100 } } }).verdicts())).toBe(false);
  });

  it("stands in for no limit that takes back and cannot be judged yet, which is left out as if it were alone", () => {
    const court = new Court(spec({ latency: { p95: { warn: { ms: 1_000 }, rollBack: { factor: 2 } } } }));
    court.see(traffic(2_000, 0, 1_200), traffic(50, 0, 1_200));
    expect(court.of("latency.p95")).toMatchObject({ outcome: "warn", proof: "not-needed" });
  });

  it("alone shows a release to be good as before, once it is within it", () => {
    const court = new Court(spec({ errorRate: {}, latency: { p95: { warn: { ms: 1_000 } } } }));
    expect(isShownGood(court.see(traffic(10, 0, 10)).verdicts())).toBe(false);
    expect(isShownGood(court.see(traffic(500, 0, 10)).verdicts())).toBe(true);
  });

  it("is not waited for where there is nothing to measure, as in a service of WebSockets alone", () => {
    const court = new Court(spec({ latency: { p50: { warn: { factor: 1.5 } } } }));
    const upgrades = { ...NO_TRAFFIC, requests: 1_000 };
    expect(isShownGood(court.see(upgrades, upgrades).verdicts())).toBe(true);
  });

  it("does not hinder the error rate's proof either", () => {
    const court = new Court(spec());
    for (let i = 0; i < 100; i++) court.see(traffic(1_000, 40), traffic(9_000, 360));
    expect(court.of("errorRate")).toMatchObject({ outcome: "warn", proof: "shown" });
    expect(isShownGood(court.verdicts())).toBe(true);
  });

  it("takes nothing of the alpha of what takes back", () => {
    const alphas = (latency: GuardrailSpec["latency"]): readonly (readonly [string, number])[] =>
      chargesOf(spec({ latency })).map(({ key, alpha }) => [key, alpha]);
    const alone = alphas({ p95: { rollBack: { factor: 2 } } });
    const beside = alphas({ p50: { warn: { factor: 1.5 } }, p95: { warn: { ms: 1_000 }, rollBack: { factor: 2 } } });
    expect(beside).toEqual(expect.arrayContaining([...alone]));
  });
});

describe("compared with a memory alone", () => {
  const limits = spec({ errorRate: {}, latency: { p95: { rollBack: { factor: 2 } } } });
  const alone: Subjects = { candidate: "green", baseline: null };
  const slow = { service: "web", epoch: "a", at: 200, environments: { green: traffic(300, 0, 50) } };
  const shifted = new Court(limits).see(NO_TRAFFIC, traffic(5_000, 0, 10)).trial;

  it("nothing is taken back: it holds, until it is within the limit again", () => {
    const [verdict] = evaluate(shifted.add(slow, alone), alone);
    expect(verdict).toMatchObject({ outcome: "hold", breached: "rollBack" });
    expect(verdict?.message).toContain("nothing runs beside it to compare with");
    const mended = { ...slow, at: 300, environments: { green: plus(traffic(300, 0, 50), traffic(30_000, 0, 5)) } };
    expect(evaluate(shifted.add(slow, alone).add(mended, alone), alone)[0]?.breached).toBeNull();
  });

  it("a control beside it takes it back", () => {
    const environments = { ...slow.environments, blue: traffic(5_000, 0, 10) };
    expect(evaluate(shifted.add({ ...slow, environments }, names), names)[0]?.outcome).toBe("rollBack");
  });
});

describe("a trial", () => {
  const all = spec({
    worseThanActive: "rollBack",
    latency: { p50: { rollBack: { ms: 100 } }, p95: { rollBack: { factor: 2 } }, p99: { hold: { ms: 1 } } },
  });

  it("has a verdict for every rule that has a limit, and none without limits", () => {
    const court = new Court(all).see(traffic(100, 0, 50));
    expect(court.verdicts().map(({ rule }) => rule)).toEqual([
      "errorRate",
      "latency.p50",
      "latency.p95",
      "latency.p99",
    ]);
    expect(new Court(spec({ errorRate: {} })).see(traffic(100, 100)).verdicts()).toEqual([]);
  });

  it("goes on after a crash as if nothing had happened, and stays small", () => {
    const court = new Court(all);
    for (let i = 0; i < 300; i++) court.see(traffic(20, i % 25 === 0 ? 1 : 0, 5), traffic(180, 0, 5));
    const stored: unknown = JSON.parse(JSON.stringify(court.trial));
    expect(JSON.stringify(stored).length).toBeLessThan(8_000);
    const resumed = Trial.fromJSON(all, stored);
    expect(evaluate(resumed, names)).toEqual(court.verdicts());
    expect(JSON.parse(JSON.stringify(resumed))).toEqual(stored);
    expect(() => Trial.fromJSON(all, { format: 2 })).toThrow("cannot be read");
  });

  it("knows a common cause that came while no server was there", () => {
    const rules = spec();
    const first = { green: traffic(200, 0), blue: traffic(1_800, 0) };
    const court = new Court(rules).see(first.green, first.blue);
    const resumed = Trial.fromJSON(rules, JSON.parse(JSON.stringify(court.trial)));
    const environments = {
      green: plus(first.green, traffic(100, 100)),
      blue: plus(first.blue, traffic(900, 900)),
    };
    const after = resumed.add({ service: "web", epoch: "a", at: 60_000, environments }, names);
    expect(evaluate(after, names)).toMatchObject([{ rule: "errorRate", outcome: "hold" }]);
  });

  it("is not misled by a clock that goes back", () => {
    const court = new Court(spec());
    for (let i = 0; i < 50; i++) court.see(traffic(20, 0), traffic(180, 0), i % 2 === 0 ? 100 : -10_000);
    expect(court.see(traffic(20, 20), traffic(180, 0), -1e9).of("errorRate").outcome).toBe("rollBack");
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
  expect([0, 999, 1_000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
});
