import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../engine/testing/manual-clock.ts";
import { takeChanged } from "../cells.ts";
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
    clock: new ManualClock(),
    snapshotClock: new ManualClock(),
    random: () => drawn,
    snapshotPath,
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

test("where clients keep to a side, one that fails again and again is told from many that fail", async () => {
  const table = tableOf({});
  await harness.settle([
    harness.plane.apply({ ...table, traffic: { ...table.traffic, affinity: { header: "x-user" } } }),
  ]);
  const fail = (user: string): void => {
    const field = (name: string) => (name === "x-user" ? user : undefined);
    const admitted = harness.workers[0]?.dispatcher.admit({ host: "a", target: "/", isAbandoned: () => false, field });
    (admitted as Exchange).responded(500, 1);
    (admitted as Exchange).end();
  };
  const counted = () => harness.plane.samples(1)[0]?.environments["blue"];
  for (let i = 0; i < 5; i += 1) fail("ann");
  expect(counted()).toMatchObject({ failures: 5, clients: { failing: 1, repeats: 4 } });
  fail("bob");
  // Nobody knows whose these are.
  fail("");
  fail("");
  expect(counted()).toMatchObject({ failures: 8, clients: { failing: 4, repeats: 4 } });
});

test("without affinity clients are not told apart", async () => {
  await harness.settle([harness.plane.apply(tableOf({}))]);
  const exchange = ask() as Exchange;
  exchange.responded(500, 1);
  exchange.end();
  const counted = harness.plane.samples(1)[0]?.environments["blue"];
  expect(counted).toMatchObject({ failures: 1 });
  expect(counted?.clients).toBeUndefined();
});

test("each thing that happens to a request marks its service, so that its sample is told", async () => {
  await harness.settle([harness.plane.apply(tableOf({ size: 1 }))]);
  const [table] = harness.plane.known().tables;
  if (table === undefined) throw new Error("a table is live");
  const marks = (): boolean => takeChanged(table.cell);
  marks();
  expect(marks()).toBe(false);
  const exchange = ask() as Exchange;
  expect(marks()).toBe(true);
  exchange.responded(200, 1);
  expect(marks()).toBe(true);
  exchange.end();
  expect(marks()).toBe(true);
  exchange.end();
  expect(marks()).toBe(false);
  expect((ask() as Exchange).connectFailed()).toBeInstanceOf(Promise);
  expect(marks()).toBe(true);
  isGone = true;
  harness.workers[0]?.dispatcher.wake("web");
  expect(marks()).toBe(true);
});
