import { describe, expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { Rig } from "./testing/rig.ts";

const ASKER = { by: "tester", reason: null, idempotencyKey: null };
const FULL = new TealError("store-failed", "the disk is full");

async function halfWay(): Promise<{ made: Rig; disk: FaultyStore; id: string }> {
  const disk = new FaultyStore();
  const made = new Rig(disk.store);
  await made.engine.start({});
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  return { made, disk, id };
}

/** Every request to the new one fails, until the traffic is back; in how much time. */
async function takenBack(made: Rig): Promise<number> {
  const began = made.clock.monotonic();
  await made.until("the traffic is back", async () => {
    made.traffic.count("web", "green", { requests: 200, failures: 200 });
    return (await made.weights())["blue"] === 100;
  });
  return made.clock.monotonic() - began;
}

describe("a full disk in the middle of a shift", () => {
  test("is waited for; when it does not pass, the traffic goes back, and the record follows", async () => {
    const { made, disk, id } = await halfWay();
    disk.refusing = true;
    await made.until("the traffic is back", async () => (await made.weights())["blue"] === 100);
    expect(made.clock.monotonic()).toBeGreaterThan(30_000);
    disk.refusing = false;
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "store-failed" } });
    expect((await made.deployed("v3")).state).toBe("completed");
  });

  test("every line that is logged of it names the deployment and its service; at a step, that and the attempt too", async () => {
    const { made, disk, id } = await halfWay();
    disk.refusing = true;
    await made.until("it was tried again", () => made.logged.length > 3);
    disk.refusing = false;
    expect(new Set(made.logged.map(({ deployment, service }) => `${String(service)} ${String(deployment)}`))).toEqual(
      new Set([`web ${id}`]),
    );
    expect(made.logged).toContainEqual(expect.objectContaining({ step: "shift-50", attempt: 1 }));
  });

  test("does not keep a bad release from being judged", async () => {
    const { made, disk, id } = await halfWay();
    disk.refusing = true;
    expect(await takenBack(made)).toBeLessThan(1_000);
    disk.refusing = false;
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "guardrail-breached" } });
  });
});

describe("a disk that takes five seconds for each write", () => {
  test.each(["a verdict", "an abort"])("does not keep %s from taking the traffic back", async (what) => {
    const { made, disk, id } = await halfWay();
    disk.before = () => made.clock.sleep(5_000);
    if (what === "an abort") void made.engine.control.abort(id, ASKER, AbortSignal.timeout(60_000));
    expect(await takenBack(made)).toBeLessThan(1_000);
    const { state } = await made.ended(id);
    expect(state).toBe(what === "an abort" ? "aborted" : "rolled-back");
  });
});

test.each(["keeper-down", "data-plane-down"] as const)("%s for a moment in a step takes nothing back", async (code) => {
  const { made, id } = await halfWay();
  let failures = 0;
  made.traffic.beforeApply = () => {
    failures += 1;
    return failures < 3 ? Promise.reject(new TealError(code, "it is being started again")) : Promise.resolve();
  };
  expect((await made.ended(id)).state).toBe("completed");
  expect(failures).toBeGreaterThan(2);
});

test("an abort while the last transition cannot be written does not wait for the disk", async () => {
  const { made, disk, id } = await halfWay();
  let isClosing = false;
  disk.before = (_method, [change]) => {
    if ((change as { deployment?: { state?: string } }).deployment?.state !== "completed") return;
    isClosing = true;
    throw FULL;
  };
  await made.until("it is being closed", () => isClosing);
  const began = made.clock.monotonic();
  void made.engine.control.abort(id, ASKER, AbortSignal.timeout(60_000));
  await made.until("the traffic is back", async () => (await made.weights())["blue"] === 100);
  expect(made.clock.monotonic() - began).toBeLessThan(3_000);
  expect((await made.ended(id)).state).toBe("aborted");
});

test("a split that is on record, and that a power cut has taken from the data plane, is made live again", async () => {
  const { made, id } = await halfWay();
  await made.atStep(id, "bake");
  await made.engine.stop();
  made.traffic.loseNewest("web");
  expect(await made.weights()).toMatchObject({ blue: 50, green: 50 });
  await made.restart();
  await made.until("it is live again", async () => (await made.weights())["green"] === 100);
  expect((await made.ended(id)).state).toBe("completed");
  expect(await made.weights()).toMatchObject({ blue: 0, green: 100 });
  expect((await made.deployed("v3")).state).toBe("completed");
});

test("a revert that is told for a deployment which is done holds back none that comes after it", async () => {
  const { made, id } = await halfWay();
  await made.ended(id);
  await made.traffic.revert("web", id);
  expect(await made.weights()).toMatchObject({ green: 100 });
  expect((await made.deployed("v3")).state).toBe("completed");
});

test.each(["store-failed", "data-plane-down"] as const)(
  "%s when a server has come back takes nothing back",
  async (code) => {
    const { made, disk, id } = await halfWay();
    const since = made.clock.monotonic();
    const observe = made.traffic.observe.bind(made.traffic);
    const isAway = (): boolean => made.clock.monotonic() - since < 5_000;
    let asked = 0;
    if (code === "data-plane-down") {
      made.traffic.observe = (service) => {
        if (!isAway()) return observe(service);
        asked += 1;
        return Promise.reject(new TealError(code, "it is being started again"));
      };
    } else {
      const { service } = disk.store;
      Object.assign(disk.store, {
        service: (name: string) => {
          if (!isAway()) return service(name);
          asked += 1;
          return Promise.reject(FULL);
        },
      });
    }
    await made.crash();
    expect((await made.ended(id)).state).toBe("completed");
    expect(asked).toBeGreaterThan(1);
  },
);
