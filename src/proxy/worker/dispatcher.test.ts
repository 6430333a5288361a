import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../engine/testing/manual-clock.ts";
import type { Admission, Exchange } from "../http/engine.ts";
import { PlaneHarness, tableOf } from "../plane-harness.ts";

let folder: string;
let harness: PlaneHarness;
/** What is drawn; 0 chooses blue. */
let drawn: number;
let isGone: boolean;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-dispatcher-"));
  drawn = 0;
  isGone = false;
  const snapshotPath = join(folder, "proxy.snapshot");
  harness = new PlaneHarness({
    workers: 1,
    clock: new ManualClock(),
    random: () => drawn,
    snapshotPath,
    snapshotClock: new ManualClock(),
  });
});
afterEach(async () => {
  isGone = true;
  harness.workers[0]?.dispatcher.wake("web");
  harness.plane.close();
  await harness.settle();
  rmSync(folder, { recursive: true });
});

const ask = (): Admission | undefined =>
  harness.workers[0]?.dispatcher.admit({ host: "a", target: "/", isAbandoned: () => isGone });

test("a request for which there is no room to wait is a failure of the side that could not take it", async () => {
  await harness.settle([harness.plane.apply(tableOf({}))]);
  harness.setHealth("blue", false);
  for (let i = 0; i < 1_000; i += 1) expect(ask()).toBeInstanceOf(Promise);
  expect(ask()).toMatchObject({ code: "hold-full" });
  const [sample] = harness.plane.samples(1);
  expect(sample?.environments["blue"]).toMatchObject({ requests: 1, failures: 1 });
  expect(sample?.maintenance.waiting).toBe(1_000);
});

test("a request that is sent again stays on its side, whatever a new draw would say", async () => {
  await harness.settle([harness.plane.apply(tableOf({ green: 50, size: 1 }))]);
  const exchange = ask() as Exchange;
  expect(exchange.port).toBe(1);
  drawn = 0.9;
  expect(exchange.replay()).toBe(exchange);
  expect(exchange.port).toBe(1);
  exchange.end();
});
