import type { Deployment } from "../model/deployment.ts";
import type { NewEvent } from "../model/event.ts";
import type { Plan } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import { sampleSpec } from "../model/samples.ts";
import type { SeriesChunk } from "../model/series.ts";
import type { Receipt } from "../model/traffic.ts";
import type { NewDeployment, Transition } from "./store.ts";

/** Whole, valid nouns for the tests of stores; each test changes what it is about. */
export const NOW = 1_800_000_000_000;

export const sampleRelease: Release = {
  id: "v2",
  service: "web",
  version: "v2",
  digest: "12".repeat(32),
  directory: "/srv/.teal/releases/web/v2",
  spec: {
    ...sampleSpec,
    environment: { ...sampleSpec.environment, driver: "process" },
    traffic: { ...sampleSpec.traffic, driver: "embedded" },
  },
  createdAt: NOW,
};

export const samplePlan: Plan = {
  goal: "deploy",
  service: "web",
  from: "blue",
  to: "green",
  steps: [
    step("start", "start@1", {}),
    step("shift-10", "shift@1", { weights: { blue: 90, green: 10 }, watchMs: 60_000 }),
    step("bake", "bake@1", { weights: { blue: 0, green: 100 }, watchMs: 900_000 }),
  ],
  worstRollbackMs: 1_000,
  warnings: ["little traffic"],
  changes: [{ path: "environment.count", before: "1", after: "2" }],
};

function step(id: string, uses: Plan["steps"][number]["uses"], input: object): Plan["steps"][number] {
  return {
    id,
    uses,
    title: `step ${id}`,
    touches: ["environment green"],
    input: { environment: "green", ...input },
    expectedMs: 500,
    worstMs: 60_000,
  };
}

export function sampleDeployment(id: string, over: Partial<Deployment> = {}): Deployment {
  return {
    id,
    service: "web",
    goal: "deploy",
    state: "planned",
    from: "blue",
    to: "green",
    release: "v2",
    version: "v2",
    touchedTraffic: false,
    cause: null,
    by: "ada",
    reason: "a new version",
    createdAt: NOW,
    startedAt: null,
    endedAt: null,
    ...over,
  };
}

export function sampleAcceptance(id: string, over: Partial<NewDeployment> = {}): NewDeployment {
  const deployment = sampleDeployment(id);
  const events = [sampleEvent({ deployment: id, type: "deployment-accepted" })];
  return { deployment, plan: samplePlan, idempotencyKey: null, release: sampleRelease, events, ...over };
}

export function sampleEvent(over: Partial<NewEvent> = {}): NewEvent {
  return {
    at: NOW,
    service: "web",
    deployment: null,
    type: "warning",
    step: null,
    data: { message: "hear, hear" },
    ...over,
  };
}

export function sampleChunk(over: Partial<SeriesChunk> = {}): SeriesChunk {
  const cell = { requests: 90, failures: 2, connectFailures: 0, latency: [[12, 80] as const, [17, 10] as const] };
  return {
    format: 1,
    deployment: "dep_1",
    number: 0,
    from: NOW,
    before: { blue: [[12, 1_000]] },
    points: [{ at: NOW + 1_000, environments: { blue: cell, green: { ...cell, requests: 10, failures: 1 } } }],
    ...over,
  };
}

export function sampleReceipt(over: Partial<Receipt> = {}): Receipt {
  return {
    service: "web",
    deployment: "dep_1",
    generation: 1,
    from: { blue: 100 },
    to: { blue: 90, green: 10 },
    at: NOW,
    inFlight: 3,
    drained: 3,
    held: 0,
    retried: 0,
    rescued: 0,
    cut: 0,
    failed: 0,
    kernelRefused: 0,
    final: false,
    ...over,
  };
}

/** Writes `n` in four tables, so that half of it would show: a change of `dep_1`. */
export function sampleTransition(fence: number, n: number): Transition {
  return {
    service: "web",
    fence,
    at: n,
    deployment: { id: "dep_1", touchedTraffic: true },
    steps: [{ id: "shift-10", attempt: n, progress: { n } }],
    split: { generation: n, weights: { blue: 100 } },
    environments: [{ service: "web", name: "green", release: String(n), desired: "running" }],
    events: [sampleEvent({ data: { n } })],
  };
}
