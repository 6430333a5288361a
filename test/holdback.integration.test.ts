import { describe, expect, test } from "vitest";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { Site } from "./site.ts";

/** Straight to 90 %, and a bake beside the old environment. */
const HELD = { shift: [], bake: { for: "2s", holdback: 10 } };
/** Only a comparison convicts v3, which fails every fifth request. */
const COMPARED = { minRequests: 30, errorRate: { rollBack: "60%" } };

describe("a bake with a holdback, under load", () => {
  test("a good release gets the rest at its end, also when the server is killed meanwhile; nothing is lost", async () => {
    await using site = await Site.up({ deploy: { ...HELD, bake: { for: "4s", holdback: 10 } } });
    await site.deployed("v1");
    const load = new LoadGenerator({ url: site.url, rate: 200, mostMs: 120_000 });
    load.start();
    const id = await site.deploy("v2");
    await site.atStep(id, "bake");
    expect(await site.service()).toMatchObject({
      active: "green",
      traffic: { blue: 10, green: 90 },
      rollback: { safe: "safe" },
      deployment: { state: "baking" },
    });
    const { server } = await site.pids();
    if (server === null) throw new Error("the server does not run");
    process.kill(server, "SIGKILL");
    const { state, cause, steps } = await site.ended(id);
    expect({ state, cause }).toEqual({ state: "completed", cause: null });
    expect(steps.slice(-3).map((step) => `${step.id} ${step.state}`)).toEqual([
      "promote done",
      "bake done",
      "shift-100 done",
    ]);
    expect(await site.service()).toMatchObject({
      active: "green",
      standby: "blue",
      traffic: { blue: 0, green: 100 },
      retirement: { environment: "blue" },
    });
    const { lost, examples } = await site.settled(load);
    expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
  });

  test("what is worse than the old one alone is taken back; without a control it would stay", async () => {
    const bake = { for: "60s", holdback: 10 };
    await using site = await Site.up({ deploy: { ...HELD, bake, guardrails: COMPARED } });
    await site.deployed("v1");
    const load = new LoadGenerator({ url: site.url, rate: 200, mostMs: 120_000 });
    load.start();
    const { state, cause } = await site.deployed("v3");
    expect({ state, cause }).toMatchObject({ state: "rolled-back", cause: { code: "guardrail-breached" } });
    expect(cause).toMatchObject({ message: expect.stringContaining("more than 2 times as often") as string });
    expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
    await site.configure({ deploy: { shift: [], bake: "2s", guardrails: COMPARED } });
    expect((await site.deployed("v3")).state).toBe("completed");
    await load.stop();
  });

  test("an abort in the bake has all of it back when the call returns", async () => {
    await using site = await Site.up({ deploy: { ...HELD, bake: { for: "60s", holdback: 1 } } });
    await site.deployed("v1");
    const id = await site.deploy("v2");
    await site.atStep(id, "bake");
    await site.client.abort(id, {});
    expect((await site.service()).traffic).toEqual({ blue: 100, green: 0 });
    expect((await site.ended(id)).state).toBe("aborted");
  });
});
