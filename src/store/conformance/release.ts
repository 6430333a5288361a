import { expect, test } from "vitest";
import { NOW, sampleEvent, sampleRelease } from "../samples.ts";
import { begun, change, type Get } from "./setting.ts";

/** Releases on record: part of the suite of every store. */
export function releaseConformance(get: Get): void {
  test("releases come newest first, also after the clock was set back; one that an environment is to run is not removed", async () => {
    await begun(get());
    await get().transition(change({ release: { ...sampleRelease, id: "v3", createdAt: NOW - 9 } }));
    await get().transition(
      change({ environments: [{ service: "web", name: "green", release: "v3", desired: "stopped" }] }),
    );
    expect((await get().releases("web")).map((row) => row.id)).toEqual(["v3", "v2"]);
    await expect(get().removeRelease("web", "v3", [sampleEvent()])).rejects.toMatchObject({ code: "rollback-target" });
    expect(await get().removeRelease("web", "v2", [sampleEvent({ type: "release-pruned" })])).toMatchObject([
      { seq: 2, type: "release-pruned" },
    ]);
    expect((await get().releases("web")).map((row) => row.id)).toEqual(["v3"]);
    expect((await get().events(0, 9)).map((event) => event.type)).toEqual(["deployment-accepted", "release-pruned"]);
  });
}
