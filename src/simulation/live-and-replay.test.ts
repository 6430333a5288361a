import { expect, test } from "vitest";
import { FaultyStore } from "../engine/testing/faulty-store.ts";
import { quickSpec, Rig } from "../engine/testing/rig.ts";
import type { ServiceSpec } from "../model/service.ts";
import { recordedTraffic } from "./recorded.ts";
import { replay } from "./replay.ts";

// A replay judges as the deployment was judged: whatever changes the one has to change the other.

const PROBES = {
  checks: [{ path: "/deep", status: 200, body: null, withinMs: null }],
  everyMs: 1_000,
  timeoutMs: 1_000,
};
const GUARDRAILS = {
  ...quickSpec.deploy.guardrails,
  minRequests: 1,
  errorRate: { rollBack: 0.05 },
  worseThanActive: "rollBack",
} as const;

/** Every second green answers twenty requests, of which one or two fail: more than allowed, and not plainly so. */
async function live(more: Partial<ServiceSpec["deploy"]>) {
  const spec = {
    ...quickSpec,
    deploy: { ...quickSpec.deploy, guardrails: GUARDRAILS, shift: [{ weight: 10, forMs: 600_000 }], ...more },
  };
  const rig = new Rig(new FaultyStore().store);
  rig.spec = spec;
  await rig.engine.start({});
  await rig.deployed("v1");
  let ticks = 0;
  const tick = (): void => {
    ticks += 1;
    if (ticks % 10 !== 0) return;
    const green = { requests: 20, failures: ticks % 30 === 0 ? 1 : 2 };
    rig.traffic.countAll("web", { blue: { requests: 180, failures: 0 }, green });
  };
  rig.traffic.count("web", "blue", { requests: 180, failures: 0 });
  const { id } = await rig.deploy("v2");
  await rig.atStep(id, "shift-10");
  const { state, cause } = await rig.until("it has ended", async () => {
    tick();
    const { deployment } = await rig.engine.control.deployment(id);
    return deployment.endedAt === null ? null : deployment;
  });
  const record = await rig.engine.control.record(id);
  return { state, cause, spec, traffic: recordedTraffic(record) };
}

test.each([
  ["users alone", {}],
  ["users and probes, which share alpha", { probes: PROBES }],
])("a replay comes to the very verdict of the deployment: %s", async (_, more) => {
  const { state, cause, spec, traffic } = await live(more);
  expect(state).toBe("rolled-back");
  const { takenBack } = await replay(traffic, spec);
  // With the count that it took and the odds, which tell of alpha.
  expect(takenBack?.message).toMatch(/^green fails .*the odds that this is chance/);
  expect({ kind: "verdict", code: "guardrail-breached", message: takenBack?.message }).toEqual(cause);
});
