import { expect, test } from "vitest";
import { NOW } from "../samples.ts";
import { change, type Get } from "./setting.ts";

/** When an old environment is due: part of the suite of every store. */
export function retirementConformance(get: Get): void {
  test("a service has one retirement: a new one replaces it, and only its own environment's name cancels it", async () => {
    await get().claim("web", 0);
    const row = { service: "web", environment: "blue", release: "v1", at: NOW + 9 };
    await get().transition(change({ retirement: { set: row } }));
    const newer = { ...row, environment: "green", at: NOW + 5 };
    await get().transition(change({ retirement: { set: newer } }));
    await get().transition(change({ retirement: { cancel: "blue" } }));
    expect(await get().retirements()).toEqual([newer]);
    expect(await get().retirements("web")).toEqual([newer]);
    expect(await get().retirements("api")).toEqual([]);
    await get().transition(change({ retirement: { cancel: "green" } }));
    expect(await get().retirements()).toEqual([]);
  });
}
