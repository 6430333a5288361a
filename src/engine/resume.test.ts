import { describe, expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const ASKER = { by: "ann", reason: "I know why", idempotencyKey: null };
const soon = () => AbortSignal.timeout(5_000);

async function rig(): Promise<Rig> {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  await made.deployed("v1");
  return made;
}

async function status(made: Rig) {
  return made.engine.control.serviceStatus("web", soon());
}

async function holds(made: Rig, kind: string) {
  return made.until(`it holds for ${kind}`, async () => {
    const hold = (await status(made)).deployment?.hold;
    return hold?.kind === kind ? hold : null;
  });
}

/** Somebody else at the data plane; what is armed stays so. */
async function meddle(made: Rig, weights: Record<string, number>): Promise<void> {
  const live = made.traffic.applied.at(-1);
  const { split } = await made.traffic.observe("web");
  if (live === undefined || split === null) throw new Error("nothing was applied");
  await made.traffic.apply({ ...live, fence: split.fence, generation: split.generation + 1, weights });
}

async function resume(made: Rig, id: string, drift: "adopt" | "overwrite" | null = null): Promise<void> {
  let done = false;
  const asked = made.engine.control.resume(id, { ...ASKER, drift }, soon()).finally(() => {
    done = true;
  });
  asked.catch(() => undefined);
  await made.until("it is answered", () => done);
  await asked;
}

describe("a guardrail that holds", () => {
  async function held(): Promise<{ made: Rig; id: string }> {
    const made = await rig();
    const guardrails = { minRequests: 10, errorRate: { hold: 0.05 }, latency: {} };
    made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, guardrails } };
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-10");
    made.traffic.count("web", "green", { requests: 0, failures: 0 });
    await made.until("10 %", async () => (await made.weights())["green"] === 10);
    made.traffic.count("web", "green", { requests: 100, failures: 20 });
    return { made, id };
  }

  test("says so, and goes on to its end when a person says so", async () => {
    const { made, id } = await held();
    expect(await holds(made, "guardrail")).toMatchObject({ remedy: expect.stringContaining("teal resume") });
    made.clock.advance(60_000);
    expect((await status(made)).deployment?.step).toBe("shift-10");
    await resume(made, id);
    await made.atStep(id, "shift-50");
    expect(made.events.find(({ type }) => type === "resumed")).toMatchObject({
      step: "shift-10",
      data: { kind: "guardrail", by: "ann", reason: "I know why" },
    });
    expect((await made.ended(id)).state).toBe("completed");
  });

  test("is not held again by a server that was started anew after that", async () => {
    const { made, id } = await held();
    await holds(made, "guardrail");
    await resume(made, id);
    await made.crash();
    await made.atStep(id, "shift-50");
    expect(made.events.filter(({ type }) => type === "resumed")).toHaveLength(1);
  });
});

describe("drift in the middle of a deployment", () => {
  async function drifted(): Promise<{ made: Rig; id: string }> {
    const made = await rig();
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-10");
    await made.until("10 %", async () => (await made.weights())["green"] === 10);
    await meddle(made, { blue: 70, green: 30 });
    return { made, id };
  }

  test.each(["adopt", "overwrite"] as const)("holds, and goes on by --%s, which is recorded", async (choice) => {
    const { made, id } = await drifted();
    expect(await holds(made, "drift")).toMatchObject({ message: expect.stringContaining('"green":30') });
    expect(await made.weights()).toMatchObject({ green: 30 });
    await expect(resume(made, id)).rejects.toMatchObject({ code: "drift" });
    await resume(made, id, choice);
    expect(made.events.find(({ type }) => type === "resumed")?.data).toMatchObject({
      kind: "drift",
      drift: choice,
      expected: { blue: 90, green: 10 },
      live: { blue: 70, green: 30 },
      by: "ann",
    });
    expect((await made.ended(id)).state).toBe("completed");
  });

  test("is taken back as drift when nobody says anything for half an hour", async () => {
    const { made, id } = await drifted();
    await holds(made, "drift");
    made.clock.advance(31 * 60_000);
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "drift" } });
    expect(await made.weights()).toMatchObject({ blue: 100, green: 0 });
  });

  test("is aborted like any other", async () => {
    const { made, id } = await drifted();
    await holds(made, "drift");
    await made.engine.control.abort(id, ASKER, soon());
    expect((await made.ended(id)).state).toBe("aborted");
  });
});

describe("a frozen deployment", () => {
  async function frozen(): Promise<{ made: Rig; id: string }> {
    const made = await rig();
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-50");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    made.traffic.unhealthy.add("web/blue/v1/0");
    await made.engine.control.abort(id, ASKER, soon());
    await holds(made, "frozen");
    return { made, id };
  }

  test("refuses to be resumed while going back is worse, and says what can be done", async () => {
    const { made, id } = await frozen();
    await expect(resume(made, id)).rejects.toMatchObject({
      code: "unhealthy",
      remedy: expect.stringContaining("teal traffic --set blue=100,green=0 --force"),
    });
    expect((await status(made)).deployment?.state).toBe("frozen");
  });

  test("goes back when it is resumed and the old environment is well", async () => {
    const { made, id } = await frozen();
    made.traffic.unhealthy.clear();
    await resume(made, id);
    expect((await made.ended(id)).state).toBe("aborted");
    expect(await made.weights()).toMatchObject({ blue: 100, green: 0 });
    expect(made.events.find(({ type }) => type === "resumed")?.data).toMatchObject({ kind: "frozen", by: "ann" });
  });

  test("is ended by traffic that a person moves all the same", async () => {
    const { made, id } = await frozen();
    const wish = { weights: { blue: 100 } };
    await expect(made.engine.control.traffic("web", { ...ASKER, wish, force: false }, soon())).rejects.toMatchObject({
      code: "unhealthy",
    });
    await made.engine.control.traffic("web", { ...ASKER, wish, force: true }, soon());
    expect((await made.ended(id)).state).toBe("aborted");
    expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
  });
});

test("a deployment that goes on by itself, has ended or waits for an approval is not resumed", async () => {
  const made = await rig();
  const { id } = await made.deploy("v2");
  await made.atStep(id, "shift-10");
  await expect(resume(made, id)).rejects.toMatchObject({ code: "nothing-to-resume" });
  await made.ended(id);
  await made.until("it is forgotten", async () => (await status(made)).deployment === null);
  await expect(resume(made, id)).rejects.toMatchObject({ code: "deployment-ended" });
  await expect(resume(made, "dep_x")).rejects.toMatchObject({ code: "deployment-unknown" });
});
