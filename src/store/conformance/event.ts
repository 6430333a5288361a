import { expect, test } from "vitest";
import { sampleEvent } from "../samples.ts";
import type { Get } from "./setting.ts";

/** The log: part of the suite of every store. */
export function eventConformance(get: Get): void {
  test("events are numbered, bounded and in order, also those of no transition", async () => {
    const given = [1, 2, 3, 4].map((n) =>
      sampleEvent({ service: null, data: { n, nested: { list: [1, null, "x"] } } }),
    );
    expect((await get().append(given)).map((event) => event.seq)).toEqual([1, 2, 3, 4]);
    expect((await get().events(1, 2)).map((event) => event.data["n"])).toEqual([2, 3]);
    expect(await get().events(4, 2)).toEqual([]);
    expect(await get().lastSeq()).toBe(4);
  });
}
