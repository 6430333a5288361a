import { expect, test } from "vitest";
import type { MaintenanceOrder } from "../../model/maintenance.ts";
import { MODE_COUNTER, SERVICE_CELL, sharedInts, sharedNumbers } from "../cells.ts";
import type { Refusal } from "../http/refusal.ts";
import { HoldQueue } from "./hold-queue.ts";
import { NO_STANDING, ServiceMode, type Standing } from "./service-mode.ts";

const ORDER: MaintenanceOrder = {
  mode: "hold",
  until: null,
  endsIn: "off",
  page: null,
  status: 503,
  retryAfterMs: 5_000,
  allow: [],
  deadlineMs: 10_000,
  most: 3,
};

/** A queue of one service with a mode that the test changes, and requests that are served while `ready`. */
function rig() {
  const cell = sharedInts(SERVICE_CELL.held + 1);
  const counters = sharedNumbers(MODE_COUNTER.length);
  const modeOf = (mode: "on" | "hold"): ServiceMode =>
    new ServiceMode({ service: "web", number: 1, cell, counters, mode, order: ORDER }, 0);
  const service: { cell: typeof cell; mode: ServiceMode | null } = { cell, mode: null };
  const queue = new HoldQueue<string>(service, 0);
  const results: string[] = [];
  const gone = new Set<string>();
  const world = { ready: true };
  const add = (name: string, since: number, standing: Standing = NO_STANDING): Refusal | null =>
    queue.add({
      since,
      standing,
      attempt: () => (world.ready ? name : null),
      isAbandoned: () => gone.has(name),
      resolve: (result) => results.push(typeof result === "string" ? result : `${name}: ${result.code}`),
    });
  const counts = (): number[] => [...counters];
  return { service, queue, results, gone, world, add, counts, modeOf, held: () => cell[SERVICE_CELL.held] };
}

test("a hold lets nobody go until it ends, and then all in order", () => {
  const { service, queue, results, add, modeOf, counts, held } = rig();
  service.mode = modeOf("hold");
  for (const name of ["a", "b", "c"]) expect(add(name, 0)).toBeNull();
  expect(held()).toBe(3);
  queue.release(9_999);
  expect(results).toEqual([]);
  service.mode = null;
  queue.release(9_999);
  expect(results).toEqual(["a", "b", "c"]);
  // answered, held, released, timed out
  expect(counts()).toEqual([0, 3, 3, 0]);
  expect(held()).toBe(0);
});

test("a request waits for its own deadline, and no more wait than may", () => {
  const { service, queue, results, add, modeOf, counts } = rig();
  service.mode = modeOf("hold");
  add("a", 0);
  add("b", 4_000);
  add("c", 4_000);
  expect(add("d", 4_000)).toMatchObject({ code: "hold-full", status: 503, retryAfterS: 5 });
  queue.release(10_000);
  expect(results).toEqual(["a: hold-timeout"]);
  queue.release(14_000);
  expect(results).toEqual(["a: hold-timeout", "b: hold-timeout", "c: hold-timeout"]);
  expect(counts()).toEqual([0, 4, 0, 4]);
});

test("clients that have gone leave room, also behind the first", () => {
  const { service, queue, gone, add, modeOf, held } = rig();
  service.mode = modeOf("hold");
  for (const name of ["a", "b", "c"]) add(name, 0);
  gone.add("b");
  queue.release(1);
  expect(held()).toBe(2);
  expect(add("d", 1)).toBeNull();
});

test("after a hold an instance has its full time to become ready", () => {
  const { service, queue, results, world, add, modeOf } = rig();
  service.mode = modeOf("hold");
  add("a", 0);
  queue.release(9_000);
  service.mode = null;
  world.ready = false;
  queue.release(9_025);
  queue.release(13_999);
  expect(results).toEqual([]);
  queue.release(14_000);
  expect(results).toEqual(["a: no-instance"]);
});

test("a hold that becomes maintenance answers those that wait", () => {
  const { service, queue, results, add, modeOf, counts } = rig();
  service.mode = modeOf("hold");
  add("a", 0);
  service.mode = modeOf("on");
  queue.release(1);
  expect(results).toEqual(["a: maintenance"]);
  expect(counts()).toEqual([1, 1, 0, 0]);
});

test("what waits for an instance is held by a hold that begins, and served after it", () => {
  const { service, queue, results, world, add, modeOf, counts } = rig();
  world.ready = false;
  add("a", 0);
  service.mode = modeOf("hold");
  queue.release(6_000);
  world.ready = true;
  queue.release(7_000);
  expect(results).toEqual([]);
  service.mode = null;
  queue.release(8_000);
  expect(results).toEqual(["a"]);
  expect(counts()).toEqual([0, 1, 1, 0]);
});

test("a client of the list waits for an instance alone, and not behind those that are held", () => {
  const { service, queue, results, world, add, modeOf } = rig();
  service.mode = modeOf("hold");
  world.ready = false;
  add("held", 0);
  add("passes", 0, { passes: true, wantsJson: false });
  queue.release(1);
  world.ready = true;
  queue.release(2);
  expect(results).toEqual(["passes"]);
});

test("time in which the process stood still is no wait for an instance", () => {
  const { queue, results, add, world } = rig();
  world.ready = false;
  add("a", 0);
  add("b", 16_900);
  queue.excuse(17_000, 17_000);
  queue.release(21_999);
  expect(results).toEqual([]);
  queue.release(22_000);
  expect(results).toEqual(["a: no-instance", "b: no-instance"]);
});
