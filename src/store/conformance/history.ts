import { expect, test } from "vitest";
import { sampleAcceptance } from "../samples.ts";
import { change, type Get } from "./setting.ts";

/** Deployments, newest first: part of the suite of every store. */
export function historyConformance(get: Get): void {
  test("history is newest first and bounded", async () => {
    await get().claim("web", 0);
    for (const id of ["dep_1", "dep_2", "dep_3"]) {
      await get().accept(sampleAcceptance(id));
      await get().transition(change({ deployment: { id, state: "rolling-back" } }));
      await get().transition(change({ deployment: { id, state: "aborted" } }));
    }
    expect((await get().history("web", 2)).map((row) => row.id)).toEqual(["dep_3", "dep_2"]);
    expect(await get().history("api", 2)).toEqual([]);
  });
}
