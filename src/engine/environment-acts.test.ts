import { describe, expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { Rig } from "./testing/rig.ts";

const ASKER = { by: "ann", reason: "a try", idempotencyKey: null };

/** v1 on blue, kept warm; v2 is active on green. */
async function rig(): Promise<Rig> {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  await made.deployed("v1");
  await made.deployed("v2");
  return made;
}

const about = (environment: string) => ({ ...ASKER, service: "web", environment, signal: AbortSignal.timeout(5_000) });

async function running(made: Rig, environment: string): Promise<number> {
  return (await made.environments.observe("web", environment)).instances.length;
}

/** While the clock is moved on. */
async function settled<T>(made: Rig, task: Promise<T>): Promise<T> {
  let done = false;
  task
    .finally(() => {
      done = true;
    })
    .catch(() => undefined);
  await made.until("it is done", () => done);
  return task;
}

async function rollbackSeconds(made: Rig): Promise<number | null> {
  return (await made.engine.control.serviceStatus("web", AbortSignal.timeout(5_000))).rollback.seconds;
}

describe("an environment", () => {
  test("that is stopped stays so through restarts, is idempotent, and makes a rollback slower", async () => {
    const made = await rig();
    const { control } = made.engine;
    expect(await rollbackSeconds(made)).toBe(1);
    expect(await control.stopEnvironment(about("blue"))).toMatchObject({ changed: true, state: "absent" });
    expect(await running(made, "blue")).toBe(0);
    expect(await rollbackSeconds(made)).toBeGreaterThan(1);
    expect(await control.stopEnvironment(about("blue"))).toMatchObject({ changed: false });
    await made.crash();
    expect(await running(made, "blue")).toBe(0);
    expect(
      made.events.find(({ type, data }) => type === "environment" && data["state"] === "stopping")?.data,
    ).toMatchObject({
      environment: "blue",
      by: "ann",
      reason: "a try",
    });
  });

  test("whose stop a crash cut short is stopped by the next server", async () => {
    const made = await rig();
    made.life.endAfter(12, false);
    void made.engine.control.stopEnvironment(about("blue"));
    await made.until("the server has died", () => made.life.isOver);
    await made.crash();
    const record = (await made.engine.control.serviceStatus("web", AbortSignal.timeout(5_000))).environments.find(
      ({ name }) => name === "blue",
    );
    expect(record?.instances.length).toBe(await running(made, "blue"));
    await settled(made, made.engine.control.stopEnvironment(about("blue")));
    expect(await running(made, "blue")).toBe(0);
  });

  test("is started again, returns when it is healthy, and twice is once", async () => {
    const made = await rig();
    await made.engine.control.stopEnvironment(about("blue"));
    expect(await settled(made, made.engine.control.startEnvironment(about("blue")))).toMatchObject({
      changed: true,
      state: "ready",
    });
    expect(await rollbackSeconds(made)).toBe(1);
    expect(await made.engine.control.startEnvironment(about("blue"))).toMatchObject({ changed: false });
    await made.engine.control.stopEnvironment(about("blue"));
    made.environments.behaviour.set("v1", "starting");
    await expect(settled(made, made.engine.control.startEnvironment(about("blue")))).rejects.toMatchObject({
      code: "not-healthy",
    });
  });

  test("with traffic or requests in flight is not stopped, retired or scaled down, but may be scaled up", async () => {
    const made = await rig();
    const { control } = made.engine;
    const refused = { code: "still-has-traffic" };
    await expect(control.stopEnvironment(about("green"))).rejects.toMatchObject(refused);
    await expect(control.retireEnvironment(about("green"))).rejects.toMatchObject(refused);
    await settled(made, control.scaleEnvironment({ ...about("green"), count: 3 }));
    expect(await running(made, "green")).toBe(3);
    await expect(control.scaleEnvironment({ ...about("green"), count: 2 })).rejects.toMatchObject(refused);
    made.traffic.inFlight.set("blue", 1);
    await expect(settled(made, control.stopEnvironment(about("blue")))).rejects.toMatchObject(refused);
    expect(await running(made, "blue")).toBe(1);
  });

  test("keeps its number through a restart and a switch, until the next deploy to it", async () => {
    const made = await rig();
    await settled(made, made.engine.control.scaleEnvironment({ ...about("blue"), count: 3 }));
    expect(await made.engine.control.scaleEnvironment({ ...about("blue"), count: 3 })).toMatchObject({
      changed: false,
    });
    await made.engine.control.stopEnvironment(about("blue"));
    const question = { goal: "switch", service: "web", to: "blue", force: false } as const;
    const { steps } = await made.engine.control.plan(question, AbortSignal.timeout(5_000));
    expect(steps[0]).toMatchObject({ id: "start", title: "Start 3 instances on blue" });
    await made.restart();
    await settled(
      made,
      made.engine.control.switch("web", { ...ASKER, to: "blue", force: false }, AbortSignal.timeout(5_000)),
    );
    expect(await running(made, "blue")).toBe(3);
    await made.deployed("v3");
    await made.deployed("v4");
    expect(await running(made, "blue")).toBe(1);
  });

  test("that a deployment under way needs is left alone", async () => {
    const made = await rig();
    const { id } = await made.deploy("v3");
    await made.atStep(id, "shift-10");
    const { control } = made.engine;
    await expect(control.stopEnvironment(about("green"))).rejects.toMatchObject({ code: "rollback-target" });
    await expect(control.scaleEnvironment({ ...about("blue"), count: 2 })).rejects.toMatchObject({
      code: "deployment-running",
    });
    await expect(control.retireEnvironment(about("green"))).rejects.toBeDefined();
  });

  test("is retired now instead of later, and again is nothing to do", async () => {
    const made = await rig();
    const { deployment, changed } = await made.engine.control.retireEnvironment(about("blue"));
    expect(changed).toBe(true);
    expect((await made.ended(deployment ?? "")).state).toBe("completed");
    await made.until("it is free", async () => {
      const again = await made.engine.control.retireEnvironment(about("blue"));
      return !again.changed && again.deployment === null;
    });
    expect(await made.engine.control.stopEnvironment(about("blue"))).toMatchObject({ changed: false });
    await expect(made.engine.control.startEnvironment(about("blue"))).rejects.toMatchObject({ code: "no-release" });
    await expect(made.engine.control.stopEnvironment(about("red"))).rejects.toMatchObject({
      code: "environment-unknown",
    });
  });
});
