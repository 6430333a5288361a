import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GOALS } from "../model/deployment.ts";
import type { Release } from "../model/release.ts";
import { sampleSpec } from "../model/samples.ts";
import type { ServiceSpec } from "../model/service.ts";
import { weightsProblem } from "../model/traffic.ts";
import { planDeploy, targetOf } from "./deploy.ts";
import { planRetire } from "./retire.ts";
import { planRollback } from "./rollback.ts";
import type { PlanState } from "./state.ts";
import { planSwitch } from "./switch.ts";

const spec: ServiceSpec = {
  ...sampleSpec,
  traffic: { ...sampleSpec.traffic, longLivedMs: 0 },
  deploy: {
    ...sampleSpec.deploy,
    validate: { endpoint: null, smoke: null, checks: [], deadlineMs: 60_000 },
    shift: [
      { weight: 10, forMs: 60_000 },
      { weight: 50, forMs: 60_000 },
    ],
    guardrails: { minRequests: 100, errorRate: {}, latency: {} },
  },
};

const release = (version: string, change: Partial<ServiceSpec["deploy"]> = {}): Release => ({
  id: version,
  service: "web",
  version,
  digest: version,
  directory: `/releases/${version}`,
  spec: { ...spec, deploy: { ...spec.deploy, ...change } },
  createdAt: 0,
});

const EMPTY: PlanState = {
  service: "web",
  active: null,
  standby: null,
  weights: {},
  environments: {},
  retirement: null,
};
const ONE: PlanState = {
  ...EMPTY,
  active: "blue",
  standby: "green",
  weights: { blue: 100, green: 0 },
  environments: { blue: { release: release("v1"), state: "ready" }, green: { release: null, state: "absent" } },
};
const TWO: PlanState = {
  ...ONE,
  environments: { ...ONE.environments, green: { release: release("v0"), state: "ready" } },
};
const ids = (plan: { steps: readonly { id: string }[] }) => plan.steps.map(({ id }) => id);

describe("deploy", () => {
  test("the first has nothing to compare with and nothing to go back to: straight to 100, without a bake", () => {
    const plan = planDeploy(EMPTY, release("v1"));
    expect(ids(plan)).toEqual(["preflight", "provision", "start", "healthy", "shift-100"]);
    expect(plan).toMatchObject({ from: null, to: "blue", worstRollbackMs: 0, changes: [] });
    expect(plan.warnings[0]).toContain("nothing to roll back to");
    expect(plan.warnings.join()).not.toContain("cut");
  });

  test("what may be cut, and when, is said of the side that loses its traffic", () => {
    const cuts = (traffic: Partial<ServiceSpec["traffic"]>, by: (next: Release) => { warnings: readonly string[] }) => {
      const next = release("v2");
      const changed = { ...next, spec: { ...next.spec, traffic: { ...next.spec.traffic, ...traffic } } };
      return by(changed).warnings.filter((warning) => warning.startsWith("What may be cut"));
    };
    expect(cuts({ drainMs: 30_000, longLivedMs: 300_000 }, (next) => planDeploy(ONE, next))).toEqual([
      "What may be cut on blue: requests without an answer 30s after the switch; WebSockets, event streams and transfers under way 5m after it, in batches over 10s.",
    ]);
    const warm = (next: Release): PlanState => ({
      ...TWO,
      environments: { ...ONE.environments, green: { release: next, state: "ready" } },
    });
    expect(cuts({ drainMs: 5_000, longLivedMs: 0 }, (next) => planSwitch(warm(next), "green"))).toEqual([
      "What may be cut on blue: requests without an answer 5s after the switch; WebSockets, event streams and transfers under way 5s after it, in batches over 500ms.",
    ]);
    expect(cuts({ drainMs: 0, longLivedMs: 0 }, (next) => planSwitch(warm(next), "green")).join()).not.toContain(
      "batches",
    );
  });

  test("the next goes through every step to 100, and bakes", () => {
    const plan = planDeploy(ONE, release("v2"));
    expect(ids(plan)).toEqual([
      "preflight",
      "provision",
      "start",
      "healthy",
      "shift-10",
      "shift-50",
      "shift-100",
      "bake",
    ]);
    expect(plan.steps.map(({ input }) => input.weights?.["green"]).filter((weight) => weight !== undefined)).toEqual([
      10, 50, 100, 100,
    ]);
  });

  test("with a holdback it is promoted before all the traffic is there, which follows the bake", () => {
    const plan = planDeploy(ONE, release("v2", { bakeHoldback: 2 }));
    expect(ids(plan).slice(4)).toEqual(["shift-10", "shift-50", "promote", "bake", "shift-100"]);
    expect(plan.steps.slice(-3).map(({ title, input }) => [title, input.weights, input.promotes])).toEqual([
      ["Give v2 on green 98 % of the traffic; blue keeps 2 % to compare with", { blue: 2, green: 98 }, true],
      ["Watch green at 98 %, beside blue (bake)", { blue: 2, green: 98 }, undefined],
      ["Give v2 on green 100 % of the traffic", { blue: 0, green: 100 }, undefined],
    ]);
    expect(ids(planDeploy(ONE, release("v2", { bakeHoldback: 2, bakeMs: 0 })))).not.toContain("promote");
    expect(plan.changes).toEqual([{ path: "deploy.bake.holdback", before: null, after: "2" }]);
  });

  test("what is warm on the standby is retired first, and that is said", () => {
    const plan = planDeploy(TWO, release("v2"));
    expect(ids(plan)[1]).toBe("retire-green");
    expect(plan.warnings.some((warning) => warning.startsWith("v0, kept warm on green, is retired first"))).toBe(true);
  });

  test("a version that was released before with other files is told apart", () => {
    expect(planDeploy(ONE, { ...release("v1"), id: "v1+1" }).warnings.join()).toContain("kept as v1+1");
  });

  test("validation is a step only when there is something to validate", () => {
    const validate = { ...spec.deploy.validate, smoke: "./smoke.sh" };
    expect(ids(planDeploy(ONE, release("v2", { validate })))).toContain("validate");
    expect(ids(planDeploy(ONE, release("v2")))).not.toContain("validate");
  });

  test("the difference of the configurations is part of the plan", () => {
    const plan = planDeploy(ONE, release("v2", { bakeMs: 60_000 }));
    expect(plan.changes).toEqual([{ path: "deploy.bake", before: "15m", after: "1m" }]);
  });
});

describe("switch", () => {
  test("to a warm environment is one step", () => {
    expect(ids(planSwitch(TWO, "green"))).toEqual(["shift-100"]);
  });

  test("to one that is stopped starts it first", () => {
    const stopped = {
      ...TWO,
      environments: { ...TWO.environments, green: { release: release("v0"), state: "absent" as const } },
    };
    expect(ids(planSwitch(stopped, "green"))).toEqual(["start", "healthy", "shift-100"]);
  });

  test("tells as many instances as a person has asked for", () => {
    const green = { release: release("v0"), state: "absent" as const };
    const starts = (target: typeof green & { readonly count?: number }) =>
      planSwitch({ ...TWO, environments: { ...TWO.environments, green: target } }, "green").steps[0]?.title;
    expect([starts(green), starts({ ...green, count: 3 })]).toEqual([
      "Start 2 instances on green",
      "Start 3 instances on green",
    ]);
  });

  test("is refused without a release, and to where all the traffic is", () => {
    expect(() => planSwitch(ONE, "green")).toThrow("has no release");
    expect(() => planSwitch(TWO, "blue")).toThrow("already has all the traffic");
  });
});

describe("rollback", () => {
  test("is a switch when the release before is on the standby", () => {
    expect(planRollback(TWO, null)).toMatchObject({ goal: "rollback", from: "blue", to: "green" });
    expect(ids(planRollback(TWO, null))).toEqual(["shift-100"]);
  });

  test("starts the stored release again when it was retired", () => {
    expect(ids(planRollback(ONE, release("v0")))).toEqual(["preflight", "provision", "start", "healthy", "shift-100"]);
  });

  test("is refused when there is nothing to go back to", () => {
    expect(() => planRollback(ONE, null)).toThrow("no earlier release");
    expect(() => planRollback(EMPTY, null)).toThrow("no release yet");
  });
});

describe("retire", () => {
  test("is refused for what has traffic or is active, and for what is empty", () => {
    expect(() => planRetire(TWO, "blue")).toThrow("of the traffic");
    expect(() => planRetire({ ...TWO, weights: { blue: 90, green: 10 } }, "green")).toThrow("10 % of the traffic");
    expect(() => planRetire(ONE, "green")).toThrow("no release to retire");
    expect(ids(planRetire(TWO, "green"))).toEqual(["retire-green"]);
  });
});

describe("every plan", () => {
  const states = fc.constantFrom(EMPTY, ONE, TWO);
  const shifts = fc
    .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 5 })
    .map((weights) => weights.toSorted((a, b) => a - b).map((weight) => ({ weight, forMs: 1_000 })));

  test("has steps with unique ids, finite deadlines no shorter than expected, and weights that sum to 100", () => {
    fc.assert(
      fc.property(states, shifts, fc.integer({ min: 0, max: 10_000 }), (state, shift, bakeMs) => {
        const plan = planDeploy(state, release("v9", { shift, bakeMs }));
        expect(new Set(ids(plan)).size).toBe(plan.steps.length);
        expect(plan.to).toBe(targetOf(state));
        expect(plan.to).not.toBe(state.active);
        for (const step of plan.steps) {
          expect(step.worstMs).toBeGreaterThanOrEqual(step.expectedMs);
          expect(Number.isFinite(step.worstMs)).toBe(true);
          if (step.input.weights !== undefined) expect(weightsProblem(step.input.weights)).toBeNull();
        }
        expect(plan.steps.findLast(({ uses }) => uses === "shift@1")?.input.weights?.[plan.to]).toBe(100);
      }),
    );
  });

  test("is for a goal that the record knows", () => {
    expect(GOALS).toEqual(expect.arrayContaining([planSwitch(TWO, "green").goal, planRetire(TWO, "green").goal]));
  });
});
