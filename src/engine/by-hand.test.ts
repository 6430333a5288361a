import { describe, expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import type { Store } from "../store/store.ts";
import type { TrafficRequest } from "./control.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { Rig } from "./testing/rig.ts";

const ASKER = { by: "ann", reason: "a try", idempotencyKey: null };
const soon = () => AbortSignal.timeout(5_000);

/** v1 on blue; v2 is active on green. */
async function rig(store: Store = directSqliteStore(":memory:")): Promise<Rig> {
  const made = new Rig(store);
  await made.engine.start({});
  await made.deployed("v1");
  await made.deployed("v2");
  return made;
}

function set(made: Rig, weights: Record<string, number>, more: Partial<TrafficRequest> = {}) {
  return made.engine.control.traffic("web", { ...ASKER, wish: { weights }, force: false, ...more }, soon());
}

async function status(made: Rig) {
  return made.engine.control.serviceStatus("web", soon());
}

describe("a split set by hand", () => {
  test("is journaled first with who and why, applied, and recorded as Teal's own", async () => {
    const made = await rig();
    const { generation, receipt } = await set(made, { blue: 10, green: 90 });
    expect(receipt).toMatchObject({ to: { blue: 10, green: 90 }, generation });
    expect(await status(made)).toMatchObject({
      active: "green",
      desired: { blue: 10, green: 90 },
      observed: { blue: 10, green: 90 },
      generation,
    });
    const types = made.events.slice(-4).map(({ type }) => type);
    expect(types).toEqual(["traffic-asked", "split-applied", "receipt", "retirement-cancelled"]);
    expect(made.events.at(-4)?.data).toMatchObject({ by: "ann", reason: "a try", forced: false, generation });
  });

  test("keeps the environment that it gives traffic to, and whoever has all of it is active", async () => {
    const made = await rig();
    expect((await status(made)).retirement).toMatchObject({ environment: "blue" });
    await set(made, { blue: 100 });
    expect(await status(made)).toMatchObject({
      active: "blue",
      standby: "green",
      retirement: { environment: "green" },
    });
    expect(await made.weights()).toEqual({ blue: 100, green: 0 });
    expect((await made.deployed("v3")).state).toBe("completed");
  });

  test("outlives a deploy that is refused: what that never touched is not taken back", async () => {
    const made = await rig();
    await set(made, { blue: 30, green: 70 });
    expect(await made.deployed("v3")).toMatchObject({ state: "failed", cause: { code: "still-has-traffic" } });
    expect(await made.weights()).toEqual({ blue: 30, green: 70 });
  });

  test("in the instant in which its environment was to be retired keeps that running", async () => {
    const made = new Rig(directSqliteStore(":memory:"));
    made.spec = { ...made.spec, deploy: { ...made.spec.deploy, keepStandbyMs: 1_000 } };
    await made.engine.start({});
    await made.deployed("v1");
    await made.deployed("v2");
    made.traffic.beforeApply = () => made.clock.sleep(5_000);
    let done = false;
    void set(made, { blue: 100 }).finally(() => {
      done = true;
    });
    await made.until("it is set", () => done);
    made.traffic.beforeApply = () => Promise.resolve();
    expect(await made.weights()).toEqual({ blue: 100, green: 0 });
    expect((await made.environments.observe("web", "blue")).state).toBe("ready");
  });

  test("the same again changes nothing", async () => {
    const made = await rig();
    const first = await set(made, { blue: 10, green: 90 });
    const events = made.events.length;
    expect(await set(made, { blue: 10, green: 90 })).toMatchObject({ generation: first.generation, receipt: null });
    expect(made.events.length).toBe(events);
  });

  test("gives no traffic to an unhealthy environment unless forced, but takes traffic from one", async () => {
    const made = await rig();
    made.traffic.unhealthy.add("web/blue/v1/0");
    await expect(set(made, { blue: 10, green: 90 })).rejects.toMatchObject({ code: "unhealthy" });
    await set(made, { blue: 10, green: 90 }, { force: true });
    expect(made.events.find(({ type, data }) => type === "traffic-asked" && data["forced"] === true)).toBeDefined();
    await set(made, { green: 100 });
    expect(await made.weights()).toEqual({ blue: 0, green: 100 });
  });

  test("must sum to 100, of environments that there are, of a service with a release", async () => {
    const made = await rig();
    await expect(set(made, { blue: 50 })).rejects.toMatchObject({ code: "request-invalid" });
    await expect(set(made, { red: 100 })).rejects.toMatchObject({ code: "environment-unknown" });
    await expect(
      made.engine.control.traffic("api", { ...ASKER, wish: { weights: { blue: 100 } }, force: false }, soon()),
    ).rejects.toMatchObject({ code: "service-unknown" });
    const empty = new Rig(directSqliteStore(":memory:"));
    await empty.engine.start({});
    await expect(set(empty, { blue: 100 })).rejects.toMatchObject({ code: "no-release" });
  });

  test("is refused during a deployment; forced it stays armed, the deployment goes on, and an abort takes it back", async () => {
    const made = await rig();
    const { id } = await made.deploy("v3");
    await made.atStep(id, "shift-10");
    await made.until("10 %", async () => (await made.weights())["blue"] === 10);
    await expect(set(made, { blue: 30, green: 70 })).rejects.toMatchObject({ code: "deployment-running" });
    await set(made, { blue: 30, green: 70 }, { force: true });
    expect((await made.traffic.observe("web")).armed).toMatchObject({ deployment: id });
    await made.crash();
    expect(await made.weights()).toMatchObject({ blue: 30 });
    await made.atStep(id, "shift-50");
    await made.engine.control.abort(id, ASKER, soon());
    expect((await made.ended(id)).state).toBe("aborted");
    expect(await made.weights()).toMatchObject({ green: 100, blue: 0 });
  });

  test("is refused even by force while the deployment starts what is to get traffic, and while it is taken back", async () => {
    const made = await rig();
    made.environments.behaviour.set("v3", "starting");
    const { id } = await made.deploy("v3");
    await made.atStep(id, "healthy");
    await expect(set(made, { blue: 30, green: 70 }, { force: true })).rejects.toMatchObject({
      code: "deployment-running",
    });
    made.traffic.inFlight.set("blue", 1);
    await made.engine.control.abort(id, ASKER, soon());
    await expect(set(made, { blue: 30, green: 70 }, { force: true })).rejects.toMatchObject({
      code: "deployment-running",
    });
  });

  test("is refused by an engine that stops and has let go of the deployment", async () => {
    const made = await rig();
    const { id } = await made.deploy("v3");
    await made.atStep(id, "shift-10");
    await made.engine.stop();
    await expect(set(made, { blue: 30, green: 70 }, { force: true })).rejects.toMatchObject({
      code: "deployment-running",
    });
  });

  test("that a crash kept from the record is read back by the next server", async () => {
    const made = await rig();
    const live = made.traffic.applied.at(-1);
    const { split } = await made.traffic.observe("web");
    if (live === undefined || split === null) throw new Error("nothing was applied");
    const generation = split.generation + 1;
    await made.traffic.apply({
      ...live,
      fence: split.fence,
      generation,
      deployment: null,
      weights: { blue: 100, green: 0 },
    });
    await made.crash();
    expect(await status(made)).toMatchObject({ active: "blue", standby: "green", desired: { blue: 100, green: 0 } });
  });
});

describe("drift without a deployment", () => {
  async function drifted(): Promise<Rig> {
    const made = await rig();
    await changedOutside(made);
    return made;
  }

  /** Somebody else than Teal sets the split. */
  async function changedOutside(made: Rig): Promise<void> {
    const live = made.traffic.applied.at(-1);
    const { split } = await made.traffic.observe("web");
    if (live === undefined || split === null) throw new Error("nothing was applied");
    const generation = split.generation + 1;
    const weights = { blue: 40, green: 60 };
    await made.traffic.apply({ ...live, fence: split.fence, generation, deployment: null, weights });
    expect(await status(made)).toMatchObject({ desired: { green: 100 }, observed: weights });
  }

  test("is adopted: the live split is the recorded one, and nothing is sent", async () => {
    const made = await drifted();
    const sent = made.traffic.applied.length;
    const request = { ...ASKER, wish: { drift: "adopt" }, force: false } as const;
    expect(await made.engine.control.traffic("web", request, soon())).toMatchObject({ receipt: null });
    expect((await status(made)).desired).toEqual({ blue: 40, green: 60 });
    expect(made.traffic.applied.length).toBe(sent);
  });

  test("that becomes the record is told, once", async () => {
    const made = await drifted();
    await made.restart();
    await made.until("the record", async () => (await status(made)).desired["blue"] === 40);
    await made.restart();
    const told = made.events.filter(({ type }) => type === "drift");
    expect(told.map(({ data }) => data)).toEqual([
      { expected: { blue: 0, green: 100 }, live: { blue: 40, green: 60 } },
    ]);
  });

  test("is none where a person had asked for it, and the answer was lost", async () => {
    const made = await rig();
    made.traffic.beforeApply = async (change) => {
      made.traffic.beforeApply = () => Promise.resolve();
      await made.traffic.apply(change);
      throw new TealError("data-plane-down", "the answer is lost");
    };
    await expect(set(made, { blue: 40, green: 60 })).rejects.toThrow("the answer is lost");
    expect((await status(made)).desired).toMatchObject({ green: 100 });
    await made.restart();
    await made.until("the record", async () => (await status(made)).desired["blue"] === 40);
    expect(made.events.filter(({ type }) => type === "drift")).toEqual([]);
  });

  test("is none either when the upkeep of such a split could not be written", async () => {
    const disk = new FaultyStore();
    const made = await rig(disk.store);
    made.traffic.beforeApply = async (change) => {
      made.traffic.beforeApply = () => Promise.resolve();
      await made.traffic.apply(change);
      throw new TealError("data-plane-down", "the answer is lost");
    };
    await expect(set(made, { blue: 40, green: 60 })).rejects.toThrow("the answer is lost");
    const asked = (await made.traffic.observe("web")).split?.generation ?? 0;
    disk.before = (method) => {
      if (method !== "transition") return;
      disk.before = () => undefined;
      throw new TealError("store-failed", "the disk is full");
    };
    await made.restart();
    await made.until("it is not written", () => made.problems.some(({ message }) => message === "the disk is full"));
    expect((await made.traffic.observe("web")).split?.generation).toBeGreaterThan(asked);
    expect((await status(made)).desired).toMatchObject({ green: 100 });
    made.traffic.tell({ kind: "connected" });
    await made.until("the record", async () => (await status(made)).desired["blue"] === 40);
    expect(made.events.filter(({ type }) => type === "drift")).toEqual([]);
  });

  test("is told where a person had asked for these weights long before", async () => {
    const made = await rig();
    await set(made, { blue: 40, green: 60 });
    await set(made, { green: 100 });
    await changedOutside(made);
    await made.restart();
    await made.until("the record", async () => (await status(made)).desired["blue"] === 40);
    expect(made.events.filter(({ type }) => type === "drift")).toHaveLength(1);
  });

  test("is overwritten: the recorded split is live again", async () => {
    const made = await drifted();
    const request = { ...ASKER, wish: { drift: "overwrite" }, force: false } as const;
    await made.engine.control.traffic("web", request, soon());
    expect(await made.weights()).toMatchObject({ green: 100 });
    expect((await made.deployed("v3")).state).toBe("completed");
  });
});
