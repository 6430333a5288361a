import { expect, test } from "vitest";
import { sampleDeployment, sampleEvent, sampleReceipt } from "../samples.ts";
import type { Transition } from "../store.ts";
import { begun, change, type Get } from "./setting.ts";

/** What a transition is refused for: part of the suite of every store. */
export function refusalConformance(get: Get): void {
  const refused: readonly (readonly [string, string, Partial<Transition>])[] = [
    ["a lower fence", "fenced", { fence: 1 }],
    ["a service that was never claimed", "service-unknown", { service: "api" }],
    ["an unknown deployment", "deployment-unknown", { deployment: { id: "dep_9", state: "running" } }],
    ["a transition that the states do not allow", "internal", { deployment: { id: "dep_1", state: "completed" } }],
    [
      "a step that the plan does not have",
      "internal",
      { deployment: { id: "dep_1" }, steps: [{ id: "nope", state: "done" }] },
    ],
    ["steps of no deployment", "internal", { steps: [{ id: "start", state: "done" }] }],
    ["weights that do not sum to 100", "internal", { split: { generation: 9, weights: { blue: 60, green: 60 } } }],
    ["a generation that goes back", "internal", { split: { generation: 4, weights: { green: 100 } } }],
  ];
  test.each(refused)("%s is refused with %s, and nothing of the transition stays", async (_what, code, over) => {
    await begun(get());
    await get().claim("web", 0);
    await get().transition(change({ fence: 2, split: { generation: 5, weights: { blue: 100 } } }));
    const seq = await get().lastSeq();
    const bad = change({
      fence: 2,
      environments: [{ service: "web", name: "green", release: null, desired: "running" }],
      roles: { active: "green", standby: null },
      receipt: sampleReceipt(),
      events: [sampleEvent()],
      ...over,
    });
    await expect(get().transition(bad)).rejects.toMatchObject({ name: "TealError", code });
    expect(await get().environments("web")).toEqual([]);
    expect(await get().service("web")).toMatchObject({ active: null, generation: 5, fence: 2 });
    expect(await get().receipts("dep_1")).toEqual([]);
    expect(await get().deployment("dep_1")).toEqual(sampleDeployment("dep_1"));
    expect(await get().lastSeq()).toBe(seq);
  });

  test("an ended deployment takes no other state, and not its own again", async () => {
    await begun(get());
    await get().transition(change({ deployment: { id: "dep_1", state: "running" } }));
    await get().transition(change({ deployment: { id: "dep_1", state: "completed" } }));
    for (const state of ["running", "completed"] as const) {
      await expect(get().transition(change({ deployment: { id: "dep_1", state } }))).rejects.toMatchObject({
        code: "deployment-ended",
      });
    }
  });

  test("a fence above the row's is kept, and shuts out the one before", async () => {
    await begun(get());
    await get().transition(change({ fence: 8 }));
    await expect(get().transition(change({ fence: 7 }))).rejects.toMatchObject({ code: "fenced" });
    expect((await get().claim("web", 0)).fence).toBe(9);
  });
}
