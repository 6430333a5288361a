import { expect, test } from "vitest";
import { NOW, sampleChunk, sampleEvent } from "../samples.ts";
import { begun, change, type Get, type Reopen } from "./setting.ts";

const pointOfAll = {
  at: NOW - 3_599_000,
  clockMs: -7_200_000,
  step: null,
  environments: {
    green: { requests: 9, failures: 4, connectFailures: 1, latency: [[3, 9]], clients: { failing: 1, repeats: 3 } },
  },
} as const;

const goesOn = { counted: { format: 1 }, kept: 2, recordedMs: 2_000 };

/** A deployment's traffic over time: part of the suite of every store. */
export function seriesConformance(get: Get, reopen: Reopen): void {
  test("a deployment's traffic and events are read by its name, in their order, and pruned with it", async () => {
    await begun(get());
    // The clock was set back meanwhile: its number alone says that it comes later.
    const second = sampleChunk({ number: 1, from: NOW - 3_600_000, points: [pointOfAll], goesOn });
    expect(await get().lastSeries("dep_1")).toBeNull();
    await get().putSeries(second);
    await get().putSeries(sampleChunk({ points: [] }));
    await get().putSeries(sampleChunk());
    await reopen();
    expect(await get().series("dep_1")).toEqual([sampleChunk(), second]);
    expect(await get().lastSeries("dep_1")).toEqual(second);
    expect(await get().series("dep_2")).toEqual([]);
    await get().append([sampleEvent({ deployment: "dep_1", type: "guardrail" }), sampleEvent({ deployment: "dep_2" })]);
    expect((await get().eventsOf("dep_1", 0, 9)).map(({ type }) => type)).toEqual(["deployment-accepted", "guardrail"]);
    const [first, ...others] = await get().eventsOf("dep_1", 0, 9);
    expect(await get().eventsOf("dep_1", 0, 1)).toEqual([first]);
    expect(await get().eventsOf("dep_1", first?.seq ?? 0, 9)).toEqual(others);
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back" } }));
    await get().transition(change({ at: NOW + 10, deployment: { id: "dep_1", state: "failed" } }));
    await get().prune(NOW + 11, sampleEvent({ type: "events-pruned" }));
    expect(await get().series("dep_1")).toEqual([]);
  });

  test("traffic of a deployment that is not on record is refused", async () => {
    await expect(get().putSeries(sampleChunk({ deployment: "dep_9" }))).rejects.toMatchObject({
      code: "store-failed",
    });
  });
}
