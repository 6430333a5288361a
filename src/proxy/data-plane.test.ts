import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import { HeldThreads } from "./held-threads.ts";
import { PlaneHarness, SIDES, tableOf, turn } from "./plane-harness.ts";

let folder: string;
let harness: PlaneHarness;
let clock: ManualClock;
let snapshotClock: ManualClock;
const made = (): PlaneHarness =>
  new PlaneHarness({ clock, snapshotClock, snapshotPath: join(folder, "proxy.snapshot") });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-plane-"));
  clock = new ManualClock();
  snapshotClock = new ManualClock();
  harness = made();
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

/** Half of the traffic for green, by a deployment that is armed. */
async function shifting(): Promise<PlaneHarness["plane"]> {
  await harness.settle([harness.plane.apply(tableOf({}))]);
  await harness.settle([harness.plane.apply(tableOf({ generation: 2, green: 50, deployment: "dep_1", arms: true }))]);
  for (const side of SIDES) harness.setHealth(side, true);
  return harness.plane;
}

const REVERT = { cause: "revert" } as const;

test("a revert keeps the split while the old environment alone is unhealthy, and flips when it is told again later", async () => {
  const plane = await shifting();
  harness.setHealth("blue", false);
  expect(await plane.revert("web", "dep_1", REVERT)).toMatchObject({ weights: { blue: 50, green: 50 } });
  expect(plane.observe("web").armed).toMatchObject({ deployment: "dep_1" });
  harness.setHealth("blue", true);
  expect(await plane.revert("web", "dep_1", REVERT)).toMatchObject({ weights: { blue: 100, green: 0 } });
});

test("a revert flips where neither environment is healthy: that is no worse, and what was aborted may be the cause", async () => {
  const plane = await shifting();
  for (const side of SIDES) harness.setHealth(side, false);
  expect(await plane.revert("web", "dep_1", REVERT)).toMatchObject({ weights: { blue: 100, green: 0 } });
  expect(harness.reverts).toMatchObject([{ deployment: "dep_1", cause: "revert" }]);
});

test("a revert waits for no disk, and whoever asks learns whether the disk has its latch", async () => {
  const { plane } = harness;
  await harness.settle([plane.apply(tableOf({ green: 50, deployment: "dep_1", arms: true }))]);
  await using threads = new HeldThreads(folder);
  threads.hold();
  const reverting = plane.revert("web", "dep_1", { cause: "revert" });
  expect(plane.observe("web")).toMatchObject({ split: { weights: { blue: 100, green: 0 } }, armed: null });
  await turn();
  clock.advance(50);
  expect((await reverting)?.weights).toEqual({ blue: 100, green: 0 });
  // A proxy that is killed right after this answer would come back with the deployment.
  const killed = made();
  expect(killed.plane.observe("web").armed).toMatchObject({ deployment: "dep_1" });
  killed.plane.close();
  const soon = plane.keep("web", 2_000);
  await turn();
  snapshotClock.advance(2_000);
  expect(await soon).toBe(false);
  const kept = plane.keep("web", 2_000);
  await threads.letGo();
  expect(await kept).toBe(true);
  const next = made();
  expect(next.plane.observe("web")).toMatchObject({ latched: [{ deployment: "dep_1" }], armed: null });
  next.plane.close();
});
