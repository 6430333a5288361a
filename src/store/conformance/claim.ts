import { expect, test } from "vitest";
import type { Get } from "./setting.ts";

/** How a controller comes to a service: part of the suite of every store. */
export function claimConformance(get: Get): void {
  test("a claim makes the row and raises the fence above stored and observed", async () => {
    expect(await get().service("web")).toBeNull();
    expect(await get().claim("web", 0)).toEqual({
      service: "web",
      fence: 1,
      generation: 0,
      weights: {},
      active: null,
      standby: null,
    });
    expect((await get().claim("web", 0)).fence).toBe(2);
    expect((await get().claim("web", 41)).fence).toBe(42);
    expect((await get().claim("web", 7)).fence).toBe(43);
    await get().claim("api", 0);
    expect((await get().services()).map((row) => [row.service, row.fence])).toEqual([
      ["api", 1],
      ["web", 43],
    ]);
  });
}
