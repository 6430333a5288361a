import { describe, expect, test } from "vitest";
import type { Milliseconds } from "../model/time.ts";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import type { Store, Transition } from "../store/store.ts";
import type { ManualClock } from "./testing/manual-clock.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const HOUR = 3_600_000;
/** The rig looks every 100 ms, and each step is a look or two more. */
const GRAIN_MS: Milliseconds = 1_000;

type StepChange = NonNullable<Transition["steps"]>[number];

/** A store that sets the clock by two days, once, when it writes what is asked for. */
function jumping() {
  let when: ((step: StepChange) => boolean) | null = null;
  let clock: ManualClock | null = null;
  const inner = directSqliteStore(":memory:");
  const transition: Store["transition"] = (change) => {
    if (when !== null && change.steps?.some(when) === true) {
      clock?.jump(48 * HOUR);
      when = null;
    }
    return inner.transition(change);
  };
  return {
    store: { ...inner, transition },
    jumpsWhen: (isMoment: (step: StepChange) => boolean, of: ManualClock): void => {
      [when, clock] = [isMoment, of];
    },
  };
}

async function serving(store: Store = directSqliteStore(":memory:")): Promise<Rig> {
  const made = new Rig(store);
  await made.engine.start({});
  await made.deployed("v1");
  return made;
}

/** How long a deploy takes whose clock is set when it comes to this step. */
async function tookWith(step: string, jump: (made: Rig) => void | Promise<void>): Promise<Milliseconds> {
  const made = await serving();
  const { id } = await made.deploy("v2");
  const began = made.clock.monotonic();
  await made.atStep(id, step);
  await jump(made);
  expect((await made.ended(id)).state).toBe("completed");
  return made.clock.monotonic() - began;
}

describe.each(["shift-10", "shift-50", "bake"])("the wall clock is set at %s", (step) => {
  test.each([2 * HOUR, -2 * HOUR])("by %i ms: the deployment takes as long as ever", async (ms) => {
    const usual = await tookWith(step, () => undefined);
    const took = await tookWith(step, (made) => {
      made.clock.jump(ms);
    });
    expect(Math.abs(took - usual)).toBeLessThan(GRAIN_MS);
  });

  test("while its beginning is written down: it takes as long as ever", async () => {
    const usual = await tookWith(step, () => undefined);
    const { store, jumpsWhen } = jumping();
    const made = await serving(store);
    const { id } = await made.deploy("v2");
    const began = made.clock.monotonic();
    jumpsWhen(({ id: at, progress }) => at === step && progress?.["watchedSince"] !== undefined, made.clock);
    expect((await made.ended(id)).state).toBe("completed");
    expect(Math.abs(made.clock.monotonic() - began - usual)).toBeLessThan(GRAIN_MS);
  });

  test("back, and a server that is started then watches no longer than it would anew", async () => {
    const usual = await tookWith(step, () => undefined);
    const took = await tookWith(step, async (made) => {
      made.clock.jump(-2 * HOUR);
      await made.restart();
    });
    expect(took).toBeLessThan(2 * usual + GRAIN_MS);
  });
});

test("what the drivers are given as a deadline is by the monotonic clock", async () => {
  const made = await serving();
  const left: Milliseconds[] = [];
  made.traffic.beforeApply = (_change, context) => {
    left.push((context?.deadline ?? Number.NaN) - made.clock.monotonic());
    made.clock.jump(2 * HOUR);
    return Promise.resolve();
  };
  expect((await made.deployed("v2")).state).toBe("completed");
  expect(left.length).toBeGreaterThan(2);
  expect(Math.min(...left)).toBeGreaterThan(0);
  expect(Math.max(...left)).toBeLessThan(HOUR);
});

describe("while a deployment waits for an approval", () => {
  const DAY = 24 * HOUR;

  async function waiting(): Promise<{ readonly made: Rig; readonly id: string }> {
    const made = await serving();
    made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, approval: "beforeShift" } };
    const { id } = await made.deploy("v2");
    await made.atStep(id, "approval");
    return { made, id };
  }

  test.each([2 * DAY, -2 * DAY])("the clock is set by %i ms: it waits a day, no less and no more", async (ms) => {
    const { made, id } = await waiting();
    made.clock.jump(ms);
    made.clock.advance(23 * HOUR);
    await made.until("a turn", () => true);
    expect((await made.engine.control.deployment(id)).deployment.state).toBe("waiting");
    made.clock.advance(HOUR);
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "approval-expired" } });
  });

  test("the clock is set while its beginning is written down: it waits all the same", async () => {
    const { store, jumpsWhen } = jumping();
    const made = await serving(store);
    made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, approval: "beforeShift" } };
    jumpsWhen(({ progress }) => progress?.["wakeAt"] !== undefined, made.clock);
    const { id } = await made.deploy("v2");
    await made.atStep(id, "approval");
    made.clock.advance(23 * HOUR);
    await made.until("a turn", () => true);
    expect((await made.engine.control.deployment(id)).deployment.state).toBe("waiting");
  });

  test("the clock is set back and the server started again: it waits a day from then on", async () => {
    const { made, id } = await waiting();
    made.clock.jump(-2 * DAY);
    await made.restart();
    await made.until("a turn", () => true);
    made.clock.advance(DAY);
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "approval-expired" } });
  });
});
