import { describe, expect, test } from "vitest";
import type { GuardrailSpec } from "../model/guardrail.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const ASKER = { by: "tester", reason: null, idempotencyKey: null };
const COMPARED: GuardrailSpec = {
  minRequests: 1,
  errorRate: { rollBack: 0.5 },
  worseThanActive: "rollBack",
  latency: {},
};

async function rig(bakeMs = 20_000): Promise<{ made: Rig; disk: FaultyStore }> {
  const disk = new FaultyStore();
  const made = new Rig(disk.store);
  const deploy = { ...quickSpec.deploy, guardrails: COMPARED, bakeMs, bakeHoldback: 10 };
  made.spec = { ...quickSpec, deploy: { ...deploy, shift: [] } };
  await made.engine.start({});
  await made.deployed("v1");
  return { made, disk };
}

/** v2 in its bake, with 90 % of the traffic. */
async function baking(): Promise<{ made: Rig; disk: FaultyStore; id: string }> {
  const { made, disk } = await rig();
  const { id } = await made.deploy("v2");
  await made.atStep(id, "bake");
  made.traffic.count("web", "blue", { requests: 0, failures: 0 });
  made.traffic.count("web", "green", { requests: 0, failures: 0 });
  return { made, disk, id };
}

/** Requests of both by their shares, a tenth of the new one's failing and none of the old one's. */
function failsATenth(made: Rig): void {
  made.traffic.count("web", "blue", { requests: 10, failures: 0 });
  made.traffic.count("web", "green", { requests: 90, failures: 9 });
}

describe("a bake with a holdback", () => {
  test("leaves the old environment its share, and gives it over at the end", async () => {
    const { made, disk, id } = await baking();
    expect(await made.weights()).toEqual({ blue: 10, green: 90 });
    expect(await disk.store.service("web")).toMatchObject({ active: "green", standby: "blue" });
    expect((await disk.store.deployment(id))?.state).toBe("baking");
    expect(made.traffic.applied.at(-1)).toMatchObject({
      revertTo: { blue: 100, green: 0 },
      traffic: { onControllerLoss: "keep" },
    });
    expect((await made.ended(id)).state).toBe("completed");
    expect(await made.weights()).toEqual({ blue: 0, green: 100 });
    const states = made.events.flatMap(({ type, data }) => (type === "deployment-state" ? [data["to"]] : []));
    expect(states.slice(-3)).toEqual(["running", "baking", "completed"]);
    expect((await disk.store.retirements("web")).map(({ environment }) => environment)).toEqual(["blue"]);
  });

  test("takes back what is worse than the old one alone, and a server started meanwhile does so too", async () => {
    const { made, disk, id } = await baking();
    for (let i = 0; i < 10; i += 1) failsATenth(made);
    await made.until("it is kept", async () =>
      (await disk.store.steps(id)).some(({ progress }) => "trial" in progress),
    );
    await made.restart();
    await made.until("it is judged", () => {
      failsATenth(made);
      return made.events.some(({ type }) => type === "split-reverted");
    });
    const { state, cause } = await made.ended(id);
    expect({ state, cause }).toMatchObject({ state: "rolled-back", cause: { code: "guardrail-breached" } });
    expect(cause).toMatchObject({ message: expect.stringContaining("more than 2 times as often") as string });
    expect(await made.weights()).toEqual({ blue: 100, green: 0 });
  });

  test("without one the same release passes: nothing is left to compare with", async () => {
    const { made } = await rig();
    const { bakeHoldback: _, ...deploy } = made.spec.deploy;
    made.spec = { ...made.spec, deploy };
    const { id } = await made.deploy("v2");
    await made.atStep(id, "bake");
    await made.until("all the traffic is there", async () => (await made.weights())["green"] === 100);
    for (let i = 0; i < 100; i += 1) failsATenth(made);
    expect((await made.ended(id)).state).toBe("completed");
  });

  test("can be aborted, and superseded: then it is ended as passed", async () => {
    const { made, id } = await baking();
    await made.engine.control.abort(id, ASKER, AbortSignal.timeout(5_000));
    expect(await made.weights()).toEqual({ blue: 100, green: 0 });
    expect((await made.ended(id)).state).toBe("aborted");
    const second = await made.deploy("v3");
    await made.atStep(second.id, "bake");
    const third = await made.until("it is accepted", () => made.deploy("v4", { supersede: true }));
    expect((await made.ended(second.id)).state).toBe("completed");
    expect((await made.ended(third.id)).state).toBe("completed");
  });

  test("upkeep meanwhile leaves the proxy's orders for a lost server as they are", async () => {
    const { made, disk } = await baking();
    const applied = made.traffic.applied.length;
    const row = await disk.store.service("web");
    made.environments.become("web", "blue", { address: "127.0.0.1:29999" });
    await made.until("it is told of the new addresses", () => made.traffic.applied.length > applied);
    expect(made.traffic.applied.at(-1)).toMatchObject({
      weights: { blue: 10, green: 90 },
      traffic: { onControllerLoss: "keep" },
    });
    expect(row?.active).toBe("green");
  });
});

test.each([false, true])(
  "a server that dies at any call of such a deployment (whose effect comes through: %s) is followed by one that ends it",
  async (hasEffect) => {
    let borders = 0;
    for (; borders < 400; borders += 1) {
      const { made, disk } = await rig(1_000);
      made.life.endAfter(borders, hasEffect);
      void made.deploy("v2", { key: "once" }).catch(() => undefined);
      await made.until("it has died, or is done", async () => {
        const [last] = await disk.store.history("web", 1);
        return made.life.isOver || (last?.version === "v2" && last.state === "completed");
      });
      if (!made.life.isOver) break;
      await made.crash();
      const { id } = await made.deploy("v2", { key: "once" });
      const { state, cause } = await made.ended(id);
      expect({ borders, state, cause }).toEqual({ borders, state: "completed", cause: null });
      expect(await made.weights()).toEqual({ blue: 0, green: 100 });
      expect(await disk.store.service("web")).toMatchObject({ active: "green", weights: { blue: 0, green: 100 } });
    }
    expect(borders).toBeGreaterThan(30);
    expect(borders).toBeLessThan(400);
  },
  60_000,
);
