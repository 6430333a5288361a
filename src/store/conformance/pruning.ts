import { expect, test } from "vitest";
import { NOW, sampleEvent } from "../samples.ts";
import { begun, change, type Get, type Reopen } from "./setting.ts";

/** What is removed with age: part of the suite of every store. */
export function pruningConformance(get: Get, reopen: Reopen): void {
  test("pruning takes what ended before, keeps the rest, and never gives a number again", async () => {
    await begun(get());
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back" } }));
    await get().transition(change({ at: NOW + 10, deployment: { id: "dep_1", state: "failed" } }));
    await get().append([sampleEvent({ at: NOW + 10 })]);
    await get().prune(NOW + 10);
    expect(await get().events(0, 9)).toHaveLength(2);
    await get().prune(NOW + 11);
    expect(await get().events(0, 9)).toEqual([]);
    expect(await get().steps("dep_1")).toEqual([]);
    expect(await get().plan("dep_1")).toBeNull();
    expect(await get().history("web", 9)).toHaveLength(1);
    await reopen();
    expect(await get().lastSeq()).toBe(2);
    expect((await get().append([sampleEvent()])).map((event) => event.seq)).toEqual([3]);
  });

  test("pruning leaves a deployment that runs", async () => {
    await begun(get());
    await get().prune(NOW * 2);
    expect(await get().steps("dep_1")).toHaveLength(3);
    expect(await get().events(0, 9)).toHaveLength(1);
  });
}
