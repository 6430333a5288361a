import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { FaultyStore } from "../engine/testing/faulty-store.ts";
import { Rig } from "../engine/testing/rig.ts";
import { Hub } from "../engine/hub.ts";
import type { InstanceState } from "../model/environment.ts";
import { ControlMetrics } from "./control-metrics.ts";
import { measuredStore } from "./measured-store.ts";

function made() {
  const registry = new Registry();
  const own = new ControlMetrics(registry, []);
  const hub = new Hub();
  own.listen(hub, new AbortController().signal);
  return { own, hub, metrics: () => registry.metrics() };
}

test("a good deploy and one that is taken back are counted, with their steps and the way back", async () => {
  const disk = new FaultyStore();
  const { own, hub, metrics } = made();
  const rig = new Rig(measuredStore(disk.store, () => 0, own));
  await rig.engine.start({});
  await rig.deployed("v1");
  const { id } = await rig.deploy("v2");
  await rig.until("10 %", async () => (await rig.weights())["green"] === 10);
  const ended = await rig.until("it has ended", async () => {
    rig.traffic.count("web", "green", { requests: 200, failures: 200 });
    const deployment = await disk.store.deployment(id);
    return deployment?.endedAt != null && deployment;
  });
  expect(ended.state).toBe("rolled-back");
  for (const event of rig.events) hub.publish("event", event);
  const shown = await metrics();
  expect(shown).toContain('teal_deployments_total{goal="deploy",state="completed"} 1\n');
  expect(shown).toContain('teal_deployments_total{goal="deploy",state="rolled-back"} 1\n');
  expect(shown).toContain('teal_step_failures_total{step="shift",code="guardrail-breached"} 1\n');
  expect(shown).toContain('teal_step_duration_seconds_count{step="start"} 2\n');
  expect(shown).toContain("teal_revert_duration_seconds_count 1\n");
  expect(shown).toContain("teal_rollback_duration_seconds_count 1\n");
  expect(shown).toContain('teal_events_total{type="split-reverted"} 1\n');
  expect(shown).toMatch(/^teal_store_call_duration_seconds_count\{method="transition"\} [1-9]\d*$/m);
  own.show(await rig.engine.control.status(AbortSignal.timeout(5_000)), rig.clock.now(), false);
  expect(await metrics()).toContain("teal_keeper_reachable 0\n");
});

test("a call that the store refuses is a failure with its code", async () => {
  const disk = new FaultyStore();
  const { own, metrics } = made();
  const store = measuredStore(disk.store, () => 0, own);
  disk.refusing = true;
  await expect(store.append([])).rejects.toMatchObject({ code: "store-failed" });
  expect(await metrics()).toContain('teal_store_call_failures_total{method="append",code="store-failed"} 1\n');
});

test("restarts of an instance are counted once, and not those of before this server", async () => {
  const { hub, metrics } = made();
  const seen = (restarts: number, state: InstanceState = "ready"): void => {
    const instance = { id: "web/blue/v1/0", ordinal: 0, state, restarts, address: null, pid: null };
    const rest = { code: null, reason: null, startedAt: null };
    hub.publish("instance", { service: "web", environment: "blue", instance: { ...instance, ...rest } });
  };
  seen(3);
  expect(await metrics()).not.toContain("teal_instance_restarts_total{");
  seen(4);
  seen(4);
  seen(6, "crash-loop");
  seen(6, "crash-loop");
  const shown = await metrics();
  expect(shown).toContain('teal_instance_restarts_total{service="web",environment="blue"} 3\n');
  expect(shown).toContain('teal_crash_loops_total{service="web",environment="blue"} 1\n');
});
