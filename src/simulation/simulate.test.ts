import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleSpec } from "../model/samples.ts";
import type { Scenario } from "./scenario.ts";
import { badRelease, falseAlarms, simulate } from "./simulate.ts";

const spec = {
  ...sampleSpec,
  deploy: {
    ...sampleSpec.deploy,
    shift: [
      { weight: 10, forMs: 20_000 },
      { weight: 50, forMs: 20_000 },
    ],
    bakeMs: 10_000,
    guardrails: {
      minRequests: 1,
      errorRate: { rollBack: 0.05 },
      worseThanActive: "rollBack",
      latency: { p95: { rollBack: { factor: 2 } } },
    },
  },
} as const;

const scenario: Scenario = {
  rate: 200,
  failing: 0.2,
  slow: 1,
  afterMs: 0,
  activeFailing: 0,
  medianMs: 20,
  users: null,
  sticky: false,
};

const wish = (over: Partial<Scenario>, runs: number, seed: number) => ({
  spec,
  scenario: { ...scenario, ...over },
  seed,
  runs,
});

function run(over: Partial<Scenario> = {}, runs = 25, seed = 1) {
  return badRelease(wish(over, runs, seed));
}

describe("a described release", () => {
  test("that fails every fifth request is caught at the first step, within seconds", () => {
    const { caught, runs, detectMs, failed, steps, neverCaught, stages } = run();
    expect({ caught, runs, neverCaught, steps }).toEqual({
      caught: 25,
      runs: 25,
      neverCaught: 0,
      steps: { "shift-10": 25 },
    });
    // About 30 to 40 requests at 20 a second (docs/guardrails.md).
    expect(detectMs.median).toBeGreaterThan(500);
    expect(detectMs.median).toBeLessThan(3_500);
    expect(failed.p95).toBeLessThan(40);
    expect(stages.map(({ step, weight }) => [step, weight])).toEqual([
      ["shift-10", 10],
      ["shift-50", 50],
      ["bake", 100],
    ]);
  });

  test("that is slow is caught by the latency rule, and all of its requests are slowed", () => {
    const { rules, caught, slowed, failed } = run({ failing: 0, slow: 4 }, 20);
    expect({ rules, caught, failed }).toEqual({
      rules: { "latency.p95": 20 },
      caught: 20,
      failed: { median: 0, p95: 0 },
    });
    expect(slowed.median).toBeGreaterThan(10);
  });

  test("that turns bad in the bake is caught there, and counted from then on", () => {
    const { steps, detectMs } = run({ afterMs: 45_000, failing: 0.5 }, 10);
    expect(steps).toEqual({ bake: 10 });
    expect(detectMs.p95).toBeLessThan(2_000);
  });

  test("that turns bad when the plan is over is never caught", () => {
    const { neverCaught, detectMs, failed, unwatched } = run({ afterMs: 600_000 }, 3);
    expect({ neverCaught, detectMs, failed, unwatched }).toEqual({
      neverCaught: 3,
      detectMs: { median: null, p95: null },
      failed: { median: 0, p95: 0 },
      unwatched: 0,
    });
  });

  test("hurts the users on its side, and with affinity nobody else", () => {
    const few = { users: 50, failing: 1 };
    const drawn = run(few, 20).usersHurt;
    const sticky = run({ ...few, sticky: true }, 20).usersHurt;
    expect(drawn?.median).toBeGreaterThan(2);
    expect(sticky?.p95).toBeLessThanOrEqual(15);
    const many = run({ users: 1_000_000 }, 10);
    expect(many.usersHurt?.median).toBe(many.failed.median);
  });

  test("is judged with affinity by how many clients fail, not by how often each tries again", () => {
    const sticky = { users: 20, sticky: true, rate: 50 };
    // Two of twenty at the first step, if it is two: fewer than convict.
    const few = run({ ...sticky, failing: 1 }, 20);
    expect(few.steps["shift-10"] ?? 0).toBeLessThan(15);
    expect(few.detectMs.median).toBeGreaterThan(
      (run({ ...sticky, failing: 1, sticky: false }, 20).detectMs.median ?? 0) * 2,
    );
    const many = run({ users: 1_000_000, sticky: true }, 10).detectMs.median;
    expect(many).toBeLessThan(3_500);
    expect(run({ users: null, sticky: true }, 10).detectMs.median).toBe(run({}, 10).detectMs.median);
  });

  test("says how many are hurt when nothing watches", () => {
    // A fifth of 20, 100 and 200 requests a second for 20, 20 and 10 s.
    expect(run({}, 1).unwatched).toBeCloseTo(0.2 * (400 + 2_000 + 2_000));
  });
});

test("the same seed gives the same answer, another one another", () => {
  expect(simulate(wish({}, 3, 1))).toEqual(simulate(wish({}, 3, 1)));
  expect(run({}, 5, 2)).not.toEqual(run({}, 5));
});

test("property: the more requests fail, the sooner it is caught in the median", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.constantFrom(0.12, 0.2, 0.35),
      fc.constantFrom(1.6, 2, 2.8),
      (seed, failing, factor) => {
        const soon = run({ failing: Math.min(1, failing * factor) }, 15, seed).detectMs.median;
        const late = run({ failing }, 15, seed).detectMs.median;
        expect(soon).not.toBeNull();
        expect(soon ?? Infinity).toBeLessThanOrEqual(late ?? Infinity);
      },
    ),
    { numRuns: 5 },
  );
}, 60_000);

test("property: a release as good as the active one is taken back no more often than is promised", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom(0, 0.001, 0.01), (seed, activeFailing) => {
      const good = falseAlarms(wish({ activeFailing }, 6, seed));
      expect(good).toMatchObject({ runs: 6, promised: 0.001 });
      expect(good.atLeast).toBeLessThanOrEqual(good.promised);
    }),
    { numRuns: 3 },
  );
}, 60_000);
