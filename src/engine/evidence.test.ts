import { describe, expect, test } from "vitest";
import type { DeploySpec } from "../model/service.ts";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const NONE = { requests: 0, failures: 0 };

/** At `shift-10` of v2, with the window begun. */
async function shifting(deploy: Partial<DeploySpec> = {}): Promise<{ made: Rig; id: string }> {
  const made = new Rig(directSqliteStore(":memory:"));
  made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, ...deploy } };
  await made.engine.start({});
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.atStep(id, "shift-10");
  await made.until("10 %", async () => (await made.weights())["green"] === 10);
  made.traffic.count("web", "green", NONE);
  return { made, id };
}

describe("evidence", () => {
  test("goes on from step to step: what is bad in two halves is bad", async () => {
    const { made, id } = await shifting();
    // Too few for a verdict: minRequests is 100.
    made.traffic.count("web", "green", { requests: 60, failures: 30 });
    await made.atStep(id, "shift-50");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    made.traffic.count("web", "green", { requests: 40, failures: 0 });
    const { state, cause } = await made.ended(id);
    expect({ state, cause }).toMatchObject({ state: "rolled-back", cause: { code: "guardrail-breached" } });
    expect(cause).toMatchObject({ message: expect.stringContaining("green fails 30 % (30 of 100)") as string });
  });

  test("goes on when the server is started again", async () => {
    const { made, id } = await shifting();
    await made.until("it is kept", () => {
      made.traffic.count("web", "green", { requests: 10, failures: 5 });
      return made.traffic.applied.length > 0;
    });
    await made.restart();
    made.traffic.count("web", "green", { requests: 90, failures: 25 });
    await made.until("it is judged", () => {
      made.traffic.count("web", "green", NONE);
      return made.events.some(({ type }) => type === "split-reverted");
    });
    expect((await made.ended(id)).cause).toMatchObject({ kind: "verdict", code: "guardrail-breached" });
  });
});

describe("a step that waits for evidence", () => {
  test("does not end by time alone, and ends once the release is shown to be not worse", async () => {
    const { made, id } = await shifting({ advance: "both", maxWaitMs: 60_000 });
    const began = made.clock.now();
    await made.until("five seconds later", () => made.clock.now() - began >= 5_000);
    expect((await made.weights())["green"]).toBe(10);
    made.traffic.count("web", "green", { requests: 600, failures: 0 });
    expect((await made.ended(id)).state).toBe("completed");
  });

  test("ends before its time, where evidence is all that counts", async () => {
    const { made, id } = await shifting({
      advance: "evidence",
      maxWaitMs: 60_000,
      shift: [{ weight: 10, forMs: 120_000 }],
      bakeMs: 0,
    });
    const began = made.clock.now();
    made.traffic.count("web", "green", { requests: 600, failures: 0 });
    expect((await made.ended(id)).state).toBe("completed");
    expect(made.clock.now() - began).toBeLessThan(120_000);
  });

  test("names what was lacking, and not a limit that only warns", async () => {
    const latency = { p50: { warn: { ms: 1 } }, p95: { rollBack: { ms: 1_000 } } };
    const guardrails = {
      ...quickSpec.deploy.guardrails,
      errorRate: {},
      worseThanActive: "none" as const,
      minRequests: 10,
      latency,
    };
    const { made, id } = await shifting({ advance: "both", maxWaitMs: 10_000, guardrails });
    made.traffic.count("web", "green", { requests: 20, failures: 0 });
    const { cause } = await made.ended(id);
    expect(cause).toMatchObject({ code: "evidence-lacking" });
    expect(cause).toMatchObject({ message: expect.stringContaining("p95") as string });
  });

  test("is taken back when none comes in time", async () => {
    const { made, id } = await shifting({ advance: "both", maxWaitMs: 10_000 });
    expect(await made.ended(id)).toMatchObject({
      state: "rolled-back",
      cause: { kind: "verdict", code: "evidence-lacking" },
    });
    expect(await made.weights()).toEqual({ blue: 100, green: 0 });
  });
});
