import { expect, test } from "vitest";
import { NOW, sampleEvent, sampleReceipt, sampleRelease } from "../samples.ts";
import { begun, change, type Get, type Reopen } from "./setting.ts";

const ROLES = { active: "blue", standby: "green" };

/** What a transition writes: part of the suite of every store. */
export function transitionConformance(get: Get, reopen: Reopen): void {
  test("one transition writes all that it names, and answers the numbered events", async () => {
    await begun(get());
    await get().transition(
      change({ retirement: { set: { service: "web", environment: "old", release: "v0", at: NOW } } }),
    );
    const events = await get().transition(
      change({
        deployment: { id: "dep_1", state: "running", touchedTraffic: true },
        steps: [
          { id: "start", state: "done", endedAt: NOW + 1, result: { instances: 2 } },
          { id: "shift-10", state: "running", attempt: 1, startedAt: NOW + 1, progress: { since: NOW } },
        ],
        split: { generation: 3, weights: { blue: 90, green: 10 } },
        roles: { active: "blue", standby: "green" },
        environments: [{ service: "web", name: "green", release: "v2", desired: "running" }],
        release: { ...sampleRelease, digest: null },
        retirement: { cancel: "old" },
        receipt: sampleReceipt(),
        events: [
          sampleEvent({ type: "step-completed", deployment: "dep_1", step: "start" }),
          sampleEvent({ type: "step-started" }),
        ],
      }),
    );
    expect(events.map((event) => [event.seq, event.type])).toEqual([
      [2, "step-completed"],
      [3, "step-started"],
    ]);
    await reopen();
    expect(await get().events(1, 10)).toEqual(events);
    expect(await get().deployment("dep_1")).toMatchObject({
      state: "running",
      touchedTraffic: true,
      startedAt: NOW + 1,
      endedAt: null,
    });
    const steps = await get().steps("dep_1");
    expect(steps[0]).toMatchObject({
      state: "done",
      attempt: 0,
      endedAt: NOW + 1,
      result: { instances: 2 },
      progress: {},
    });
    expect(steps[1]).toMatchObject({
      state: "running",
      attempt: 1,
      startedAt: NOW + 1,
      progress: { since: NOW },
      result: null,
    });
    expect(await get().service("web")).toEqual({
      service: "web",
      fence: 1,
      generation: 3,
      weights: { blue: 90, green: 10 },
      active: "blue",
      standby: "green",
    });
    expect(await get().environments("web")).toEqual([
      { service: "web", name: "green", release: "v2", desired: "running" },
    ]);
    expect(await get().release("web", "v2")).toMatchObject({ digest: null });
    expect(await get().retirements()).toEqual([]);
    expect(await get().receipts("dep_1")).toEqual([sampleReceipt()]);
  });

  test("begun and ended get their times once; what is not named stays", async () => {
    await begun(get());
    await get().transition(
      change({
        at: NOW + 5,
        deployment: { id: "dep_1", state: "running" },
        split: { generation: 2, weights: { blue: 100 } },
      }),
    );
    await get().transition(change({ at: NOW + 6, deployment: { id: "dep_1", touchedTraffic: true } }));
    await get().transition(
      change({
        at: NOW + 7,
        deployment: { id: "dep_1", state: "baking" },
        roles: { active: "green", standby: "blue" },
      }),
    );
    await get().transition(change({ at: NOW + 8, deployment: { id: "dep_1", state: "completed" } }));
    expect(await get().deployment("dep_1")).toMatchObject({
      state: "completed",
      touchedTraffic: true,
      startedAt: NOW + 5,
      endedAt: NOW + 8,
    });
    expect(await get().service("web")).toMatchObject({ generation: 2, weights: { blue: 100 }, active: "green" });
    expect(await get().unfinished()).toEqual([]);
  });

  test("the first cause wins", async () => {
    await begun(get());
    const first = { kind: "abort", by: "ada", reason: null } as const;
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back", cause: first } }));
    await get().transition(
      change({ deployment: { id: "dep_1", cause: { kind: "failure", code: "internal", message: "late" } } }),
    );
    expect((await get().deployment("dep_1"))?.cause).toEqual(first);
  });

  test("a split that upkeep has overtaken keeps the newer generation, and no weights at all mean no release", async () => {
    await begun(get());
    await get().transition(change({ split: { generation: 7, weights: { blue: 100, green: 0 } } }));
    await get().transition(change({ split: { generation: 6, weights: { blue: 100 } }, roles: ROLES }));
    expect(await get().service("web")).toMatchObject({ generation: 7, active: "blue" });
    await get().transition(change({ split: { generation: 8, weights: {} } }));
    expect(await get().service("web")).toMatchObject({ generation: 8, weights: {} });
  });

  test("the same transition again, as after a lost answer, changes nothing but the log", async () => {
    await begun(get());
    const again = change({
      deployment: { id: "dep_1", state: "running" },
      split: { generation: 1, weights: { blue: 100 } },
    });
    await get().transition(again);
    const before = await get().deployment("dep_1");
    await get().transition({ ...again, at: NOW + 9 });
    expect(await get().deployment("dep_1")).toEqual(before);
  });
}
