import { once } from "node:events";
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

  test.each(["validate", "shift-10", "bake"])(
    "gives the data plane the time to see instances that were ready before the server was (%s)",
    async (step) => {
      const made = new Rig(directSqliteStore(":memory:"));
      await made.engine.start({});
      await made.deployed("v1");
      const passes = made.validation;
      if (step === "validate") made.validation = async (signal) => (await once(signal, "abort")) as never;
      const { id } = await made.deploy("v2");
      await made.atStep(id, step);
      made.validation = passes;
      await made.engine.stop();
      for (const name of BOTH) made.environments.become("web", name, READY);
      for (const instance of ["web/blue/v1/0", "web/green/v2/0"]) made.traffic.unhealthy.add(instance);
      const began = made.clock.monotonic();
      await made.restart();
      await made.until("a second has passed", () => made.clock.monotonic() > began + 1_000);
      made.traffic.unhealthy.clear();
      expect((await made.ended(id)).state).toBe("completed");
    },
  );

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

describe("what a proxy that was started anew has counted before the server was back", () => {
  const state = async (made: Rig, id: string) => (await made.engine.control.deployment(id)).deployment.state;

  /** Half of the traffic is with v2, which has served well; then everything is started anew. */
  async function goesOnAfter(startedAs: typeof STARTING | typeof READY): Promise<{ made: Rig; id: string }> {
    const made = new Rig(directSqliteStore(":memory:"));
    await made.engine.start({});
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    const isKept = async () =>
      (await made.engine.control.deployment(id)).steps.some(({ progress }) => "trial" in progress);
    made.traffic.count("web", "green", { requests: 0, failures: 0 });
    await made.until("evidence is kept", isKept);
    await made.engine.stop();
    made.traffic.startAnew();
    made.clock.advance(1_000);
    made.traffic.count("web", "green", { requests: 40, failures: 40 });
    for (const name of BOTH) made.environments.become("web", name, startedAs);
    await made.restart();
    for (const name of BOTH) made.environments.become("web", name, READY);
    await made.until("it watches", async () => {
      made.traffic.count("web", "green", { requests: 0, failures: 0 });
      return (await made.engine.control.serviceStatus("web", AbortSignal.timeout(5_000))).deployment !== null;
    });
    return { made, id };
  }

  test.each([STARTING, READY])(
    "is not held against a release whose instances were $state by then",
    async (startedAs) => {
      const { made, id } = await goesOnAfter(startedAs);
      expect(await made.ended(id)).toMatchObject({ state: "completed" });
    },
  );

  test("is none of what comes after", async () => {
    const { made, id } = await goesOnAfter(READY);
    await made.until("it is taken back", async () => {
      made.traffic.count("web", "green", { requests: 40, failures: 40 });
      return ["rolling-back", "rolled-back"].includes(await state(made, id));
    });
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "guardrail-breached" } });
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
