import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import { PlaneHarness, tableOf } from "./plane-harness.ts";

let folder: string;
let harness: PlaneHarness;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-plane-"));
  harness = new PlaneHarness({
    clock: new ManualClock(),
    snapshotClock: new ManualClock(),
    snapshotPath: join(folder, "proxy.snapshot"),
  });
});
afterEach(async () => {
  harness.plane.close();
  await harness.settle();
  rmSync(folder, { recursive: true });
});

test("a table that is live already is answered with its own receipt, though the next one overtakes the snapshot", async () => {
  const { plane } = harness;
  await harness.settle([plane.apply(tableOf({ deployment: "dep_1", arms: true }))]);
  // Its write is still under way when both tables come.
  const disarming = plane.disarm("web", "dep_1");
  const again = plane.apply(tableOf({ deployment: "dep_1" }));
  const next = plane.apply(tableOf({ generation: 2, green: 10 }));
  await harness.settle([disarming, again, next]);
  expect([(await again).generation, (await next).generation]).toEqual([1, 2]);
});
