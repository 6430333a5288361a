import { describe, expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import type { Store } from "../store/store.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const soon = () => AbortSignal.timeout(5_000);

/** A server that starts with `store` as its database, while the instances and the data plane of `before` live on. */
async function restored(store: Store, before: Rig): Promise<Rig> {
  before.life.end();
  const made = new Rig(store, before);
  for (const folder of before.folders) made.folders.add(folder);
  await made.engine.start({});
  return made;
}

/** A database as it was after the first release, and the world two releases later: v3 serves on blue. */
async function older(): Promise<{ readonly made: Rig; readonly fence: number }> {
  const old = directSqliteStore(":memory:");
  const first = new Rig(old);
  await first.engine.start({});
  await first.deployed("v1");
  // What follows goes into another database that has begun with the same.
  const now = directSqliteStore(":memory:");
  const second = new Rig(now);
  await second.engine.start({});
  for (const version of ["v1", "v2", "v3"]) await second.deployed(version);
  await second.crash();
  await second.crash();
  const fence = (await second.traffic.observe("web")).split?.fence ?? 0;
  await first.engine.stop();
  return { made: await restored(old, second), fence };
}

describe("an older database is restored while instances and data plane live on", () => {
  test("the fence is above what the data plane has seen", async () => {
    const { made, fence } = await older();
    const { fence: claimed } = await made.engine.control.serviceStatus("web", soon());
    expect(claimed).toBeGreaterThan(fence);
  });

  test("what serves is not replaced by the release on record, and that is said", async () => {
    const { made } = await older();
    await made.until("it is said", () =>
      made.events.some(({ type, data }) => type === "warning" && data["code"] === "drift"),
    );
    expect((await made.environments.observe("web", "blue")).release).toBe("v3");
    expect(await made.weights()).toEqual({ blue: 100, green: 0 });
    const { environments } = await made.engine.control.serviceStatus("web", soon());
    expect(environments).toMatchObject([{ name: "blue", version: "v3", state: "ready" }, { name: "green" }]);
  });

  test("the next deploy goes to the other environment, and the way back starts the release on record", async () => {
    const { made } = await older();
    expect((await made.deployed("v4")).state).toBe("completed");
    expect(await made.weights()).toEqual({ blue: 0, green: 100 });
    const { rollback } = await made.engine.control.serviceStatus("web", soon());
    expect(rollback.reason).toContain("not running");
    let isBack = false;
    void made.engine.control.rollback("web", { by: "ann", reason: null, idempotencyKey: null }, soon()).then(() => {
      isBack = true;
    });
    await made.until("it is back", () => isBack);
    expect((await made.environments.observe("web", "blue")).release).toBe("v1");
    expect(await made.weights()).toEqual({ blue: 100, green: 0 });
  });
});

test("a database that is lost takes over what serves, and the next deploy leaves that in peace", async () => {
  const before = new Rig(directSqliteStore(":memory:"));
  await before.engine.start({});
  await before.deployed("v1");
  await before.deployed("v2");
  await before.crash();
  const fence = (await before.traffic.observe("web")).split?.fence ?? 0;
  const made = await restored(directSqliteStore(":memory:"), before);
  const status = await made.engine.control.serviceStatus("web", soon());
  expect(status).toMatchObject({ active: "green", desired: { blue: 0, green: 100 } });
  expect(status.fence).toBeGreaterThan(fence);
  const started = made.environments.started.length;
  const id = (await made.deploy("v3")).id;
  await made.atStep(id, "shift-50");
  expect(made.environments.started.slice(started)).toEqual(["blue/v3"]);
  expect(await made.weights()).toEqual({ blue: 50, green: 50 });
  expect(made.environments.stopped).not.toContain("green");
  expect((await made.ended(id)).state).toBe("completed");
  expect(await made.weights()).toEqual({ blue: 100, green: 0 });
});

describe("a copy from the middle of a deployment is put back", () => {
  /** A copy as v2 is at `step` on green, and the world after all of `versions`, one after the other. */
  async function midway(step: string, versions: readonly string[], then?: (made: Rig) => Promise<void>): Promise<Rig> {
    const old = directSqliteStore(":memory:");
    const first = new Rig(old);
    const second = new Rig(directSqliteStore(":memory:"));
    for (const made of [first, second]) {
      made.spec = {
        ...quickSpec,
        deploy: { ...quickSpec.deploy, approval: step === "approval" ? "beforeShift" : "none" },
      };
      await made.engine.start({});
      await deployedAndApproved(made, "v1");
    }
    await first.atStep((await first.deploy("v2")).id, step);
    await first.until("it is on record", async () => {
      const rows = await old.steps("dep_0002");
      return !step.startsWith("shift") || rows.some(({ id, progress }) => id === step && "watchedSince" in progress);
    });
    first.life.end();
    for (const version of versions) await deployedAndApproved(second, version);
    await then?.(second);
    return restored(old, second);
  }

  async function deployedAndApproved(made: Rig, version: string): Promise<void> {
    const { id } = await made.deploy(version);
    const { spec } = made;
    if (spec.deploy.approval !== "none") {
      await made.engine.control.approve(id, { by: "ann", reason: null, idempotencyKey: null }).catch(() => undefined);
    }
    expect((await made.ended(id)).state).toBe("completed");
  }

  async function ended(made: Rig): Promise<{ readonly state: string; readonly cause: unknown }> {
    const [last] = await made.engine.control.history("web", 1);
    return made.ended(last?.id ?? "");
  }

  test.each([
    ["the same deployment's own end", ["v2"], { blue: 0, green: 100 }, "green"],
    ["a later deployment", ["v2", "v3"], { blue: 100, green: 0 }, "blue"],
  ])(
    "in a shift: it holds where %s serves, and that stays when nobody says anything",
    async (_what, versions, live, on) => {
      const made = await midway("shift-10", versions);
      const hold = await made.until("it holds", async () => (await status(made)).deployment?.hold);
      expect(hold).toMatchObject({ kind: "drift" });
      expect(await made.weights()).toEqual(live);
      made.clock.advance(40 * 60_000);
      expect(await ended(made)).toMatchObject({ state: "rolled-back", cause: { code: "drift" } });
      expect(await made.weights()).toEqual(live);
      expect(await made.environments.observe("web", on)).toMatchObject({ release: versions.at(-1), state: "ready" });
      expect(await status(made)).toMatchObject({ active: on, desired: live });
      expect((await made.deployed("v9")).state).toBe("completed");
      expect(await made.weights()).toMatchObject({ [on]: 0 });
    },
  );

  test.each([
    ["approval", ["v2", "v3", "v4"], "green"],
    ["bake", ["v2", "v3"], "blue"],
  ])("at %s: it is taken back, and what serves stays", async (step, versions, on) => {
    const made = await midway(step, versions);
    expect(await ended(made)).toMatchObject({ cause: { code: "drift" } });
    expect(await made.weights()).toMatchObject({ [on]: 100 });
    expect(await made.environments.observe("web", on)).toMatchObject({ release: versions.at(-1), state: "ready" });
    expect(await status(made)).toMatchObject({ active: on });
  });

  test("while one that it does not know is in its shift: that is taken back", async () => {
    const made = await midway("shift-10", ["v2"], async (world) => {
      const { id } = await world.deploy("v3");
      await world.atStep(id, "shift-50");
      await world.until("50 %", async () => (await world.weights())["blue"] === 50);
    });
    await made.until("it is back", async () => (await made.weights())["green"] === 100);
    await made.until("it holds", async () => (await status(made)).deployment?.hold);
    expect(await made.weights()).toEqual({ blue: 0, green: 100 });
  });

  function status(made: Rig) {
    return made.engine.control.serviceStatus("web", soon());
  }
});
