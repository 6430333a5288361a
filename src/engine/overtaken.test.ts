import { expect, test } from "vitest";
import type { Deployment, DeploymentState } from "../model/deployment.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { Rig } from "./testing/rig.ts";

async function rig(): Promise<{ made: Rig; disk: FaultyStore }> {
  const disk = new FaultyStore();
  const made = new Rig(disk.store);
  await made.engine.start({});
  return { made, disk };
}

/** A deployment that ends while a second one, planned beside it, is about to be accepted. */
async function overtaken(
  { made, disk }: Awaited<ReturnType<typeof rig>>,
  first: Deployment,
  state: DeploymentState = "completed",
): Promise<string> {
  const planned = Promise.withResolvers<void>();
  const mayGoOn = Promise.withResolvers<void>();
  disk.before = async (method) => {
    if (method !== "accept") return;
    planned.resolve();
    await mayGoOn.promise;
  };
  const asked = made.deploy("v2");
  await planned.promise;
  expect((await made.ended(first.id)).state).toBe(state);
  mayGoOn.resolve();
  return (await asked).id;
}

test("a deployment that was planned as the first, and was not, takes no traffic from the one that was", async () => {
  const world = await rig();
  const { made, disk } = world;
  const second = await overtaken(world, await made.deploy("v1"));
  const before = made.traffic.applied.length;
  expect(await made.ended(second)).toMatchObject({ from: null, state: "failed", cause: { code: "drift" } });
  expect(made.traffic.applied.slice(before).every(({ weights }) => weights["blue"] === 100)).toBe(true);
  expect(await made.weights()).toMatchObject({ blue: 100 });
  expect(await disk.store.service("web")).toMatchObject({ weights: { blue: 100 }, active: "blue" });
  expect((await made.environments.observe("web", "blue")).state).toBe("ready");
});

test("a deployment that was planned before the roles changed leaves them as they are", async () => {
  const world = await rig();
  const { made, disk } = world;
  await made.deployed("v1");
  const second = await overtaken(world, await made.deploy("v2"));
  expect(await made.ended(second)).toMatchObject({ from: "blue", state: "failed", cause: { code: "drift" } });
  expect(await made.weights()).toMatchObject({ green: 100 });
  expect(await disk.store.service("web")).toMatchObject({ weights: { green: 100 }, active: "green", standby: "blue" });
});

test("a deployment that is accepted right after another was taken back runs under the fence that this has raised", async () => {
  const world = await rig();
  const { made } = world;
  await made.deployed("v1");
  const first = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  const asker = { by: "tester", reason: null, idempotencyKey: null };
  const second = overtaken(world, first, "aborted");
  await made.engine.control.abort(first.id, asker, AbortSignal.timeout(5_000));
  expect(await made.ended(await second)).toMatchObject({ state: "completed" });
});
