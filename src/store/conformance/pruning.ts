import { expect, test } from "vitest";
import { NOW, sampleEvent } from "../samples.ts";
import { begun, change, type Get, type Reopen } from "./setting.ts";

const pruned = sampleEvent({ type: "events-pruned", at: NOW + 20, service: null, data: { before: NOW } });

/** What is removed with age: part of the suite of every store. */
export function pruningConformance(get: Get, reopen: Reopen): void {
  test("pruning takes what ended before, keeps the rest, and never gives a number again", async () => {
    await begun(get());
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back" } }));
    await get().transition(change({ at: NOW + 10, deployment: { id: "dep_1", state: "failed" } }));
    await get().append([sampleEvent({ at: NOW + 10 })]);
    expect(await get().prune(NOW + 10, pruned)).toEqual([]);
    expect(await get().events(0, 9)).toHaveLength(2);
    const written = await get().prune(NOW + 11, pruned);
    expect(written).toEqual([
      { ...pruned, seq: 3, data: { before: NOW, events: 2, gaps: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    ]);
    expect(await get().events(0, 9)).toEqual(written);
    expect(await get().steps("dep_1")).toEqual([]);
    expect(await get().plan("dep_1")).toBeNull();
    expect(await get().history("web", 9)).toHaveLength(1);
    await reopen();
    expect(await get().lastSeq()).toBe(3);
    expect((await get().append([sampleEvent()])).map((event) => event.seq)).toEqual([4]);
  });

  test("pruning leaves a deployment that runs", async () => {
    await begun(get());
    expect(await get().prune(NOW * 2, pruned)).toEqual([]);
    expect(await get().steps("dep_1")).toHaveLength(3);
    expect(await get().events(0, 9)).toHaveLength(1);
  });
}
