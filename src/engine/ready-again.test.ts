import { describe, expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const STARTING = { state: "starting", reason: "0 of 2 health checks passed" } as const;
const READY = { state: "ready", reason: null } as const;
const BOTH = ["blue", "green"] as const;
const HEALTH_DEADLINE_MS = quickSpec.health.deadlineMs;

/** v2 has `weight` of the traffic on green, v1 the rest on blue, as the server stops. */
async function stoppedAt(weight: number, count = 1): Promise<{ made: Rig; id: string }> {
  const made = new Rig(directSqliteStore(":memory:"));
  made.spec = { ...quickSpec, environment: { ...quickSpec.environment, count } };
  await made.engine.start({});
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until(`${String(weight)} %`, async () => (await made.weights())["green"] === weight);
  await made.engine.stop();
  return { made, id };
}

/** The machine was started anew while half of the traffic was with v2: the apps of both begin from nothing. */
async function rebooted(): Promise<{ made: Rig; id: string }> {
  const { made, id } = await stoppedAt(50);
  made.traffic.unhealthy.add("web/green/v2/0");
  for (const name of BOTH) made.environments.become("web", name, STARTING);
  await made.restart();
  return { made, id };
}

describe("a deployment in its shifts, after a reboot", () => {
  test("waits for instances that start, and goes on", async () => {
    const { made, id } = await rebooted();
    const until = made.clock.monotonic() + 20_000;
    await made.until("20 s have passed", () => made.clock.monotonic() > until);
    expect((await made.engine.control.deployment(id)).deployment.state).toBe("running");
    made.traffic.unhealthy.clear();
    for (const name of BOTH) made.environments.become("web", name, READY);
    expect((await made.ended(id)).state).toBe("completed");
  });

  test("is judged by the data plane when the time that a deploy gives them has passed", async () => {
    const { made, id } = await rebooted();
    made.traffic.unhealthy.clear();
    const began = made.clock.monotonic();
    expect((await made.ended(id)).state).toBe("completed");
    expect(made.clock.monotonic() - began).toBeGreaterThanOrEqual(HEALTH_DEADLINE_MS);
  });

  test("is taken back when they do not come up in that time", async () => {
    const { made, id } = await rebooted();
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "unhealthy" } });
  });

  test("is taken back at once when a person aborts it meanwhile", async () => {
    const { made, id } = await rebooted();
    const began = made.clock.monotonic();
    await made.engine.control.abort(id, { by: "ann", reason: null, idempotencyKey: null }, AbortSignal.timeout(5_000));
    expect((await made.ended(id)).state).toBe("aborted");
    expect(made.clock.monotonic() - began).toBeLessThan(5_000);
  });
});

describe("a deployment in its shifts, after a restart of the server", () => {
  test("does not wait for one of several instances that is never ready", async () => {
    const { made, id } = await stoppedAt(50, 2);
    for (const name of BOTH) made.environments.become("web", name, STARTING, 1);
    const began = made.clock.monotonic();
    await made.restart();
    expect((await made.ended(id)).state).toBe("completed");
    expect(made.clock.monotonic() - began).toBeLessThan(HEALTH_DEADLINE_MS / 2);
  });

  test("does not wait for an environment that has no traffic any more", async () => {
    const { made, id } = await stoppedAt(100);
    made.environments.become("web", "blue", STARTING);
    const began = made.clock.monotonic();
    await made.restart();
    expect((await made.ended(id)).state).toBe("completed");
    expect(made.clock.monotonic() - began).toBeLessThan(HEALTH_DEADLINE_MS / 2);
  });

  test("tells the data plane where its instances are under a key of its own each time", async () => {
    const { made, id } = await stoppedAt(50, 2);
    const keys: string[] = [];
    made.traffic.beforeApply = (_change, context) => {
      if (context?.idempotencyKey.includes("ready-again") === true) keys.push(context.idempotencyKey);
      return Promise.resolve();
    };
    made.environments.become("web", "green", STARTING, 1);
    for (const restarts of [1, 2]) {
      await made.restart();
      await made.until("it is told", () => keys.length === restarts);
    }
    expect(new Set(keys).size).toBe(2);
    expect((await made.ended(id)).state).toBe("completed");
  });
});
