import { describe, expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const HOUR = 3_600_000;

async function gated(): Promise<Rig> {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  await made.deployed("v1");
  made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, approval: "beforeShift" } };
  return made;
}

const by = (name: string, reason: string | null = null) => ({ by: name, reason, idempotencyKey: null });
const state = async (made: Rig, id: string) => (await made.engine.control.deployment(id)).deployment.state;

async function waits(made: Rig, id: string): Promise<void> {
  await made.until("it waits", async () => (await state(made, id)) === "waiting");
}

describe("a deployment with an approval", () => {
  test("waits before its first traffic, goes on when approved, and says who let it and why", async () => {
    const made = await gated();
    const { id } = await made.deploy("v2");
    await waits(made, id);
    expect((await made.weights())["green"] ?? 0).toBe(0);
    const passed = await made.engine.control.approve(id, by("ann", "checked"));
    expect(passed).toMatchObject({ repeated: false, approval: { by: "ann", reason: "checked" } });
    expect((await made.ended(id)).state).toBe("completed");
    const { steps } = await made.engine.control.deployment(id);
    expect(steps.find((step) => step.id === "approval")?.result).toMatchObject({ by: "ann", reason: "checked" });
    expect(made.events.filter(({ type }) => type === "approval").map(({ data }) => data)).toEqual([
      { by: "ann", reason: "checked" },
    ]);
  });

  test("an approval that comes early is kept, the first counts, and a second changes nothing", async () => {
    const made = await gated();
    const { id } = await made.deploy("v2");
    await made.engine.control.approve(id, by("ann"));
    expect(await made.engine.control.approve(id, by("bob", "me too"))).toMatchObject({
      repeated: true,
      approval: { by: "ann", reason: null },
    });
    expect((await made.ended(id)).state).toBe("completed");
    expect(await made.engine.control.approve(id, by("bob"))).toMatchObject({ repeated: true });
    expect(made.events.filter(({ type }) => type === "approval")).toHaveLength(1);
  });

  test("still waits after a crash of the server, and after a restart", async () => {
    const made = await gated();
    const { id } = await made.deploy("v2");
    await waits(made, id);
    await made.crash();
    await made.restart();
    made.clock.advance(HOUR);
    await made.until("a turn", () => true);
    expect(await state(made, id)).toBe("waiting");
    await made.engine.control.approve(id, by("ann"));
    expect((await made.ended(id)).state).toBe("completed");
  });

  test("that nobody approves is rolled back after 24 h, counted across restarts", async () => {
    const made = await gated();
    const { id } = await made.deploy("v2");
    await waits(made, id);
    made.clock.advance(20 * HOUR);
    await made.restart();
    made.clock.advance(3 * HOUR);
    await made.until("a turn", () => true);
    expect(await state(made, id)).toBe("waiting");
    made.clock.advance(HOUR);
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "approval-expired" } });
    expect(await made.weights()).toMatchObject({ blue: 100 });
    await made.until("green is gone", async () => (await made.environments.observe("web", "green")).state === "absent");
    await expect(made.engine.control.approve(id, by("ann"))).rejects.toMatchObject({ code: "deployment-ended" });
  });

  test("is rejected by an abort, with its reason", async () => {
    const made = await gated();
    const { id } = await made.deploy("v2");
    await waits(made, id);
    await made.engine.control.abort(id, by("ann", "not on a Friday"), AbortSignal.timeout(5_000));
    expect(await made.ended(id)).toMatchObject({ state: "aborted", cause: { by: "ann", reason: "not on a Friday" } });
  });

  test("an approval of a plan without a gate, and of nothing, is refused", async () => {
    const made = await gated();
    made.spec = quickSpec;
    const { id } = await made.deployed("v2");
    await expect(made.engine.control.approve(id, by("ann"))).rejects.toMatchObject({ code: "nothing-to-approve" });
    await expect(made.engine.control.approve("dep_x", by("ann"))).rejects.toMatchObject({ code: "deployment-unknown" });
  });
});
