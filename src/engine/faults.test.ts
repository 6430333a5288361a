import { describe, expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import type { Transition } from "../store/store.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const ASKER = { by: "tester", reason: "a test", idempotencyKey: null };
const soon = () => AbortSignal.timeout(5_000);

async function rig(): Promise<{ made: Rig; disk: FaultyStore }> {
  const disk = new FaultyStore();
  const made = new Rig(disk.store);
  await made.engine.start({});
  return { made, disk };
}

const status = (made: Rig) => made.engine.control.serviceStatus("web", soon());
const deploymentOf = async (made: Rig, id: string) => (await made.engine.control.deployment(id)).deployment;

/** Advances time until the promise has settled. */
async function settled<T>(made: Rig, task: Promise<T>): Promise<PromiseSettledResult<T>> {
  let outcome: PromiseSettledResult<T> | null = null;
  void Promise.allSettled([task]).then(([one]) => {
    outcome = one;
  });
  return made.until("it is settled", () => outcome);
}

describe("a full disk", () => {
  test("does not keep an abort from taking the traffic back, nor its caller waiting; the record follows", async () => {
    const { made, disk } = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    disk.refusing = true;
    expect((await settled(made, made.engine.control.abort(id, ASKER, soon()))).status).toBe("fulfilled");
    expect(await made.weights()).toMatchObject({ blue: 100 });
    disk.refusing = false;
    expect((await made.ended(id)).state).toBe("aborted");
    expect((await made.deployed("v3")).state).toBe("completed");
  });

  test.each(["undoing", "undone"])(
    "in the middle of the clean-up, at %s, does not leave it unfinished",
    async (state) => {
      const { made, disk } = await rig();
      await made.deployed("v1");
      const { id } = await made.deploy("v2");
      await made.until("50 %", async () => (await made.weights())["green"] === 50);
      let refused = 0;
      disk.before = (_method, [change]) => {
        const isIt = (change as Partial<Transition>).steps?.some((step) => step.state === state) === true;
        if (isIt && refused++ < 3) throw new TealError("store-failed", "the disk is full");
      };
      await made.engine.control.abort(id, ASKER, soon());
      expect((await made.ended(id)).state).toBe("aborted");
      expect(refused).toBeGreaterThan(3);
      expect((await made.deployed("v3")).state).toBe("completed");
    },
  );

  test.each([{}, { key: "k" }])(
    "whose answer to the acceptance is lost leaves no deployment that nobody runs: %o",
    async (more) => {
      const { made, disk } = await rig();
      disk.losesAnswerOf = "accept";
      expect((await made.ended((await made.deploy("v1", more)).id)).state).toBe("completed");
    },
  );

  test("a step's own failure stays the cause when it cannot be written down", async () => {
    const { made, disk } = await rig();
    await made.deployed("v1");
    disk.before = (_method, [change]) => {
      const isIt = (change as Partial<Transition>).steps?.some((step) => step.state === "failed") === true;
      if (isIt) throw new TealError("store-failed", "the disk is full");
    };
    made.validation = () => Promise.resolve({ passed: false, summary: "no", tookMs: 1 });
    expect((await made.deployed("v2")).cause).toMatchObject({ code: "validation-failed" });
  });
});

describe("an abort at the very end", () => {
  test("while old releases are removed takes it back whole", async () => {
    const { made, disk } = await rig();
    made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, keepReleases: 0 } };
    for (const version of ["v1", "v2", "v3"]) await made.deployed(version);
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    disk.before = async (method) => {
      if (method !== "removeRelease") return;
      reached.resolve();
      await go.promise;
    };
    const { id } = await made.deploy("v4");
    let isThere = false;
    void reached.promise.then(() => {
      isThere = true;
    });
    await made.until("releases are removed", () => isThere);
    const before = (await status(made)).active;
    expect(before).toBe("green");
    const aborting = made.engine.control.abort(id, ASKER, soon());
    await made.until("the traffic is back", async () => (await made.weights())["blue"] === 100);
    go.resolve();
    await settled(made, aborting);
    expect((await made.ended(id)).state).toBe("aborted");
    expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
  });

  test("while it is recorded as done waits, and is told that it has ended; the traffic is where the record says", async () => {
    const { made, disk } = await rig();
    await made.deployed("v1");
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    disk.before = async (_method, [change]) => {
      if ((change as Partial<Transition>).deployment?.state !== "completed") return;
      reached.resolve();
      await go.promise;
    };
    const { id } = await made.deploy("v2");
    let isThere = false;
    void reached.promise.then(() => {
      isThere = true;
    });
    await made.until("it is being recorded", () => isThere);
    const aborting = settled(made, made.engine.control.abort(id, ASKER, soon()));
    go.resolve();
    expect(await aborting).toMatchObject({ status: "rejected", reason: { code: "deployment-ended" } });
    expect(await status(made)).toMatchObject({ active: "green", traffic: { blue: 0, green: 100 } });
    expect((await made.deployed("v3")).state).toBe("completed");
  });
});

describe("a data plane that does not answer", () => {
  test("keeps neither the step going nor who aborts waiting for ever; the traffic is back once it answers", async () => {
    const { made } = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    made.traffic.down = new TealError("data-plane-down", "no proxy is running");
    expect(await settled(made, made.engine.control.abort(id, ASKER, soon()))).toMatchObject({
      status: "rejected",
      reason: { code: "data-plane-down" },
    });
    made.traffic.down = null;
    expect((await made.ended(id)).state).toBe("aborted");
    expect(await made.weights()).toMatchObject({ blue: 100, green: 0 });
  });
});

test("a first release that is taken back after it got traffic leaves a service without a release", async () => {
  const { made, disk } = await rig();
  disk.before = (_method, [change]) => {
    if ((change as Partial<Transition>).deployment?.state === "completed")
      throw new TealError("store-failed", "the disk is full");
  };
  expect((await made.deployed("v1")).state).toBe("rolled-back");
  disk.before = () => undefined;
  expect(await made.weights()).toEqual({});
  expect(await status(made)).toMatchObject({ active: null, traffic: {} });
  expect((await made.deployed("v2")).state).toBe("completed");
  expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100 } });
});

describe("the same request again", () => {
  test("does not supersede its own deployment", async () => {
    const { made } = await rig();
    await made.deployed("v1");
    const first = await made.deploy("v2", { key: "once", supersede: true });
    await made.atStep(first.id, "shift-10");
    expect((await made.deploy("v2", { key: "once", supersede: true })).id).toBe(first.id);
    expect((await made.ended(first.id)).state).toBe("completed");
  });

  test.each([false, true])(
    "is answered with the first switch's outcome, though it is active by now (restarted: %s)",
    async (restarted) => {
      const { made } = await rig();
      await made.deployed("v1");
      await made.deployed("v2");
      const asked = { ...ASKER, idempotencyKey: "once", to: "blue", force: false };
      const first = await made.engine.control.switch("web", asked, soon());
      if (restarted) await made.restart();
      const again = await made.engine.control.switch("web", asked, soon());
      expect(again.deployment.id).toBe(first.deployment.id);
      expect(again.receipt).toEqual(first.receipt);
    },
  );
});

test("a rollback does not wait for the retirement of what it goes back to", async () => {
  const { made } = await rig();
  made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, keepStandbyMs: 5_000 } };
  await made.deployed("v1");
  await made.deployed("v2");
  made.traffic.inFlight.set("blue", 1);
  await made.until("blue is being retired", async () => (await status(made)).deployment?.goal === "retire");
  const rolled = await settled(made, made.engine.control.rollback("web", ASKER, soon()));
  expect(rolled).toMatchObject({
    status: "fulfilled",
    value: { deployment: { goal: "rollback", state: "completed" } },
  });
  expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100 } });
});

test("an instance that becomes ready during a switch does not take the switch back", async () => {
  const { made } = await rig();
  await made.deployed("v1");
  await made.deployed("v2");
  made.traffic.beforeApply = (change) => {
    if (change.deployment !== null) made.environments.become("web", "blue", { state: "ready" });
    return Promise.resolve();
  };
  const asked = { ...ASKER, to: "blue", force: false };
  expect((await made.engine.control.switch("web", asked, soon())).deployment.state).toBe("completed");
  expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
  expect(made.problems).toEqual([]);
});

test("a frozen deployment is not superseded: it is for a person to end it", async () => {
  const { made } = await rig();
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  made.traffic.unhealthy.add("web/blue/v1/0");
  await made.engine.control.abort(id, ASKER, soon());
  await made.until("frozen", async () => (await deploymentOf(made, id)).state === "frozen");
  await expect(made.deploy("v3", { supersede: true })).rejects.toMatchObject({ code: "deployment-running" });
  expect((await deploymentOf(made, id)).state).toBe("frozen");
});

test("the whole traffic given back to the active environment by hand leaves the other one as the standby", async () => {
  const { made } = await rig();
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  made.traffic.unhealthy.add("web/blue/v1/0");
  await made.engine.control.abort(id, ASKER, soon());
  await made.until("frozen", async () => (await deploymentOf(made, id)).state === "frozen");
  await made.engine.control.abort(id, ASKER, soon());
  await made.ended(id);
  made.traffic.unhealthy.clear();
  await made.engine.control.switch("web", { ...ASKER, to: "blue", force: false }, soon());
  expect(await status(made)).toMatchObject({ active: "blue", standby: "green", traffic: { blue: 100, green: 0 } });
  expect((await made.deployed("v3")).state).toBe("completed");
});

test("a revert that somebody asked of the data plane itself ends the deployment as aborted", async () => {
  const { made } = await rig();
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  made.traffic.loseController("web", "revert");
  expect(await made.ended(id)).toMatchObject({ state: "aborted", cause: { kind: "abort" } });
});

test("a revert whose notice was lost is found before the deployment is recorded as done", async () => {
  const { made } = await rig();
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.atStep(id, "bake");
  await made.traffic.revert("web", id);
  expect(await made.ended(id)).toMatchObject({ state: "aborted", cause: { kind: "abort" } });
  expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
});

test("an instance that was in a crash loop before the watch began is seen", async () => {
  const { made } = await rig();
  made.spec = { ...quickSpec, environment: { ...quickSpec.environment, count: 2 } };
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.atStep(id, "bake");
  await made.engine.stop();
  made.environments.become("web", "green", { state: "crash-loop", reason: "exited with code 1" });
  await made.restart();
  expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "crash-loop" } });
});

test("a data plane that has lost its newest split to a power cut is taken back all the same", async () => {
  const { made, disk } = await rig();
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  const row = await disk.store.service("web");
  if (row === null) throw new Error("no row");
  await disk.store.transition({
    service: "web",
    fence: row.fence,
    at: 0,
    split: { generation: row.generation + 50, weights: row.weights },
    events: [],
  });
  await made.engine.control.abort(id, ASKER, soon());
  expect((await made.ended(id)).state).toBe("aborted");
  expect((await deploymentOf(made, id)).state).toBe("aborted");
  expect((await made.deployed("v3")).state).toBe("completed");
});

test("an instance that ended while no keeper watched is started again, also in the middle of a deployment", async () => {
  const { made } = await rig();
  await made.deployed("v1");
  const whole = async (): Promise<boolean> => (await made.environments.observe("web", "blue")).instances.length === 1;
  made.environments.lose("web", "blue");
  await made.until("it is back", whole);
  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  made.environments.lose("web", "blue");
  await made.until("it is back", whole);
  expect((await made.ended(id)).state).toBe("completed");
});
