import { expect, test } from "vitest";
import type { GuardrailSpec } from "../model/guardrail.ts";
import { sampleSpec } from "../model/samples.ts";
import type { RecordedTraffic } from "../model/series.ts";
import type { ServiceSpec } from "../model/service.ts";
import { NOW, sampleChunk, sampleDeployment } from "../store/samples.ts";
import type { StepRow } from "../store/store.ts";
import { passedAt, recordedTraffic } from "./recorded.ts";
import { replay } from "./replay.ts";

const LIMITS = { minRequests: 1, errorRate: { rollBack: 0.05 }, latency: {} } as const;

function spec(guardrails: GuardrailSpec = LIMITS): ServiceSpec {
  return { ...sampleSpec, deploy: { ...sampleSpec.deploy, guardrails } };
}

/** Blue answers 90 requests a second and green ten, of which so many fail in each second. */
function traffic(failures: readonly number[], more: Partial<RecordedTraffic> = {}): RecordedTraffic {
  const cell = { requests: 90, failures: 0, connectFailures: 0, latency: [[72, 90] as const] };
  return {
    deployment: "dep_1",
    service: "web",
    candidate: "green",
    baseline: "blue",
    stages: [{ step: "shift-10", weight: 10, from: NOW, to: null, compared: true }],
    before: { blue: [[72, 5_000]] },
    points: failures.map((failed, second) => ({
      from: NOW + second * 1_000,
      at: NOW + (second + 1) * 1_000,
      environments: { blue: cell, green: { ...cell, requests: 10, failures: failed, latency: [[72, 10]] } },
    })),
    ...more,
  };
}

test("what was within its limits would not have been taken back", async () => {
  const { takenBack, failed, requests, looks } = await replay(traffic(Array.from({ length: 60 }, () => 0)), spec());
  expect({ takenBack, failed, requests, looks: looks.length }).toEqual({
    takenBack: null,
    failed: 0,
    requests: 600,
    looks: 60,
  });
});

test("what failed would have been, at that second, by that rule, with what had failed until then", async () => {
  const { takenBack, failed, looks } = await replay(traffic([0, 0, 5, 5, 5, 5, 5, 5]), spec());
  expect(takenBack).toMatchObject({ rule: "errorRate", outcome: "rollBack", step: "shift-10", at: NOW + 4_000 });
  expect(failed).toBe(10);
  expect(looks.at(-1)?.evidence.find(({ rule }) => rule === "errorRate")?.share).toBeGreaterThanOrEqual(1);
});

test("other guardrails decide otherwise: the latency before the shift is known, too", async () => {
  const failing = traffic([3, 3, 3, 3]);
  expect((await replay(failing, spec({ ...LIMITS, errorRate: { rollBack: 0.9 } }))).takenBack).toBeNull();
  const slow = traffic([0, 0, 0, 0, 0, 0, 0, 0]);
  const points = slow.points.map((point) => ({
    ...point,
    environments: { green: { requests: 10, failures: 0, connectFailures: 0, latency: [[150, 10] as const] } },
  }));
  const limits = { minRequests: 1, errorRate: {}, latency: { p50: { rollBack: { factor: 2 } } } };
  expect((await replay({ ...slow, points }, spec(limits))).takenBack).toMatchObject({ rule: "latency.p50" });
});

test("nothing is judged where no step watched", async () => {
  const { takenBack, failed } = await replay(traffic([9, 9, 9, 9], { stages: [] }), spec());
  expect({ takenBack, failed }).toEqual({ takenBack: null, failed: 36 });
});

test("points that know their step are judged by it, whatever the clock showed", async () => {
  const bad = traffic([5, 5, 5, 5]);
  const points = bad.points.map((point) => ({ ...point, clockMs: -3_600_000, step: "shift-10" }));
  const stages = [{ step: "shift-10", weight: 10, from: NOW + 9_000_000, to: NOW + 9_000_001, compared: true }];
  expect((await replay({ ...bad, points, stages }, spec())).takenBack).toMatchObject({ step: "shift-10" });
  const between = points.map((point) => ({ ...point, step: null }));
  expect((await replay({ ...bad, points: between, stages }, spec())).takenBack).toBeNull();
});

test("times that the clock showed are put where they passed", () => {
  const { points: plain } = traffic([0, 0, 0, 0]);
  const set = plain.map((point, second) => (second < 2 ? point : { ...point, clockMs: -2_000, step: `${second}` }));
  const at = (ms: number, step: string | null) => passedAt(traffic([], { points: set }), NOW + ms, step) - NOW;
  expect(passedAt(traffic([0]), NOW + 99_000, null)).toBe(NOW + 99_000);
  expect([at(500, null), at(500, "2"), at(1_500, "3"), at(2_500, null), at(-500, null)]).toEqual([
    2_500, 2_500, 3_500, 4_500, 1_500,
  ]);
});

test("a record becomes traffic: steps that watched, and each point with its beginning", () => {
  const row = (id: string, uses: string, more: Partial<StepRow>): StepRow => ({
    deployment: "dep_1",
    position: 0,
    id,
    uses,
    title: id,
    input: {},
    worstMs: 1,
    state: "done",
    attempt: 1,
    startedAt: NOW,
    endedAt: NOW + 9,
    progress: {},
    result: null,
    ...more,
  });
  const steps = [
    row("start", "start@1", {}),
    row("shift-10", "shift@1", {
      input: { weights: { blue: 90, green: 10 }, watchMs: 5 },
      progress: { watchedSince: NOW + 2 },
    }),
    row("shift-100", "shift@1", { input: { weights: { blue: 0, green: 100 }, watchMs: 0 } }),
    row("bake", "bake@1", { input: { weights: { blue: 0, green: 100 }, watchMs: 5 }, endedAt: null }),
    row("bake-later", "bake@1", { input: { weights: { green: 100 }, watchMs: 5 }, startedAt: null }),
  ];
  const rest = { receipts: [], events: [], leftOut: null, plan: null, approval: null, spec: null };
  const recorded = recordedTraffic({ deployment: sampleDeployment("dep_1"), steps, series: [sampleChunk()], ...rest });
  expect(recorded.stages).toEqual([
    { step: "shift-10", weight: 10, from: NOW + 2, to: NOW + 9, compared: true },
    { step: "bake", weight: 100, from: NOW, to: null, compared: false },
  ]);
  expect(recorded.points.map(({ from, at }) => [from, at])).toEqual([[NOW, NOW + 1_000]]);
  expect(recorded.before).toEqual({ blue: [[12, 1_000]] });
});
