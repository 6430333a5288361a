import { expect, test } from "vitest";
import { begun, change, type Get, type Reopen } from "./setting.ts";

/** What an environment is to be: part of the suite of every store. */
export function environmentConformance(get: Get, reopen: Reopen): void {
  test("an environment keeps the count that a person asked for until a record without one", async () => {
    const scaled = { service: "web", name: "green", release: "v2", desired: "running", count: 4 } as const;
    const { count: _count, ...plain } = scaled;
    await begun(get());
    await get().transition(change({ environments: [scaled] }));
    await reopen();
    expect(await get().environments("web")).toEqual([scaled]);
    await get().transition(change({ environments: [plain] }));
    expect(await get().environments("web")).toEqual([plain]);
  });
}
