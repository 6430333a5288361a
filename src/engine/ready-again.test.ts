import { describe, expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { Rig } from "./testing/rig.ts";

const STARTING = { state: "starting", reason: "0 of 2 health checks passed" } as const;

/** The machine was started anew while half of the traffic was with v2: the apps of both begin from nothing. */
async function rebooted(): Promise<{ made: Rig; id: string }> {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  await made.engine.stop();
  made.traffic.unhealthy.add("web/green/v2/0");
  for (const name of ["blue", "green"]) made.environments.become("web", name, STARTING);
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
    for (const name of ["blue", "green"]) made.environments.become("web", name, { state: "ready", reason: null });
    expect((await made.ended(id)).state).toBe("completed");
  });

  test("is taken back when they do not come up in the time that a deploy gives them", async () => {
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
