import { expect, test } from "vitest";
import { NOW, sampleAcceptance, sampleEvent } from "../samples.ts";
import { begun, change, type Get, type Reopen } from "./setting.ts";

/** A person's word: part of the suite of every store. */
export function approvalConformance(get: Get, reopen: Reopen): void {
  test("the first approval counts; it may come early, and not too late", async () => {
    const store = get();
    await begun(store);
    const approval = (by: string) => ({ by, reason: null, at: NOW });
    expect(await store.approval("dep_1")).toBeNull();
    const told = sampleEvent({ type: "approval" });
    expect(await store.approve("dep_1", approval("ann"), [told])).toMatchObject({
      kind: "approved",
      events: [{ type: "approval" }],
    });
    expect(await store.approve("dep_1", approval("bob"), [told])).toEqual({
      kind: "repeated",
      approval: approval("ann"),
    });
    await reopen();
    expect(await get().approval("dep_1")).toEqual(approval("ann"));
    await expect(get().approve("dep_9", approval("ann"), [])).rejects.toMatchObject({ code: "deployment-unknown" });
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back" } }));
    await get().transition(change({ deployment: { id: "dep_1", state: "aborted" } }));
    await get().accept(sampleAcceptance("dep_2"));
    await get().transition(change({ deployment: { id: "dep_2", state: "rolling-back" } }));
    await expect(get().approve("dep_2", approval("ann"), [])).rejects.toMatchObject({ code: "deployment-ended" });
  });
}
