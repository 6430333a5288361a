import { describe, expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { Rig } from "./testing/rig.ts";

/** More calls to the store and the drivers than a quick deployment makes; fewer would leave borders out. */
const MOST = 400;

async function rig(): Promise<{ made: Rig; disk: FaultyStore }> {
  const disk = new FaultyStore();
  const made = new Rig(disk.store);
  await made.engine.start({});
  await made.deployed("v1");
  return { made, disk };
}

/** `step-completed` events of a deployment whose step had completed before. */
async function repeatedSteps(disk: FaultyStore, deployment: string): Promise<string[]> {
  const done = (await disk.store.events(0, 10_000))
    .filter((event) => event.deployment === deployment && event.type === "step-completed")
    .map(({ step }) => String(step));
  return done.filter((step, index) => done.indexOf(step) !== index);
}

/** Runs `scenario` with every border of a deployment, until one is behind its end; how many there were. */
async function atEveryBorder(scenario: (border: number) => Promise<boolean>): Promise<number> {
  for (let border = 0; border < MOST; border += 1) if (!(await scenario(border))) return border;
  throw new Error(`a deployment has more than ${String(MOST)} borders`);
}

describe("at every write of a deployment", () => {
  test("a disk that refuses it, and for three seconds all that follow, delays it and takes nothing back", async () => {
    const borders = await atEveryBorder(async (border) => {
      const { made, disk } = await rig();
      let left = border;
      let refusedAt: number | null = null;
      disk.before = () => {
        if (left-- > 0) return;
        refusedAt ??= made.clock.monotonic();
        if (made.clock.monotonic() - refusedAt < 3_000) throw new TealError("store-failed", "the disk is full");
      };
      const { id } = await made.until("it is accepted", () => made.deploy("v2").catch(() => null));
      const { state, cause } = await made.ended(id);
      expect({ border, state, cause }).toEqual({ border, state: "completed", cause: null });
      expect(await repeatedSteps(disk, id)).toEqual([]);
      return refusedAt !== null;
    });
    expect(borders).toBeGreaterThan(15);
  });

  test("an answer that is lost makes nothing happen twice", async () => {
    const borders = await atEveryBorder(async (border) => {
      const { made, disk } = await rig();
      let left = border;
      let isLost = false;
      disk.before = (method) => {
        if (isLost || left-- > 0) return;
        isLost = true;
        disk.losesAnswerOf = method;
      };
      const { id } = await made.deploy("v2");
      const { state, cause } = await made.ended(id);
      expect({ border, state, cause }).toEqual({ border, state: "completed", cause: null });
      expect(await repeatedSteps(disk, id)).toEqual([]);
      return isLost;
    });
    expect(borders).toBeGreaterThan(15);
  });
});

test.each([false, true])(
  "a server that dies at any call of a deployment (whose effect comes through: %s) is followed by one that ends it",
  async (hasEffect) => {
    const borders = await atEveryBorder(async (border) => {
      const { made, disk } = await rig();
      made.life.endAfter(border, hasEffect);
      const asked = { isAccepted: false };
      void made.deploy("v2", { key: "once" }).then(() => (asked.isAccepted = true));
      await made.until("it has died, or is done", async () => {
        const [last] = await disk.store.history("web", 1);
        return made.life.isOver || last?.version === "v2" ? last?.state === "completed" || made.life.isOver : false;
      });
      if (!made.life.isOver) return false;
      await made.crash();
      const { id } = await made.deploy("v2", { key: "once" });
      const { state, cause } = await made.ended(id);
      expect({ border, state, cause }).toEqual({ border, state: "completed", cause: null });
      expect(await repeatedSteps(disk, id)).toEqual([]);
      expect(await made.weights()).toMatchObject({ green: 100 });
      return true;
    });
    expect(borders).toBeGreaterThan(30);
  },
  // Some hundred deployments: much work, which a busy machine does slowly.
  60_000,
);
