import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import type { Notice } from "../wire/protocol.ts";
import type { ProxyProtocol } from "../wire/proxy.ts";
import type { Admission, Exchange } from "./http/engine.ts";
import { PlaneHarness, tableOf, turn } from "./plane-harness.ts";

type Told = Notice<ProxyProtocol, "observed">;

let folder: string;
let harness: PlaneHarness;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "teal-followers-"));
  harness = new PlaneHarness({
    clock: new ManualClock(),
    snapshotClock: new ManualClock(),
    snapshotPath: join(folder, "proxy.snapshot"),
  });
  await harness.settle([harness.plane.apply(tableOf({ deployment: "d1", arms: true }))]);
});
afterEach(async () => {
  harness.plane.close();
  await harness.settle();
  rmSync(folder, { recursive: true });
});

/** A connection that notes what it is told. */
function follower() {
  const told: Told[] = [];
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const notify = (_: string, notice: unknown): void => void told.push(notice as Told);
  return { told, closed, close, notify };
}

test("who follows hears at once how the service is, and from then on of changes alone", async () => {
  const one = follower();
  harness.followers.follow("web", one);
  harness.followers.follow("web", one);
  expect(one.told).toMatchObject([{ service: "web", observation: { split: { generation: 1 } } }]);
  expect(one.told[0]?.observation.instances[0]).toEqual({ id: "web/blue/0", environment: "blue", healthy: true });
  await turn();
  expect(one.told).toHaveLength(1);
  await harness.settle([harness.plane.apply(tableOf({ generation: 2, green: 10 }))]);
  expect(one.told.at(-1)).toMatchObject({ observation: { split: { generation: 2 }, armed: null } });
});

test("the end of what was armed is told", async () => {
  const one = follower();
  harness.followers.follow("web", one);
  await harness.settle([harness.plane.disarm("web", "d1")]);
  expect(one.told.map(({ observation }) => observation.armed?.deployment ?? null)).toEqual(["d1", null]);
});

test("what becomes healthy or unhealthy in one turn is told once", async () => {
  const one = follower();
  harness.followers.follow("web", one);
  harness.setHealth("blue", false);
  harness.setHealth("green", false);
  expect(one.told).toHaveLength(1);
  await turn();
  expect(one.told).toHaveLength(2);
  expect(one.told[1]?.observation.instances.map(({ healthy }) => healthy)).toEqual([false, false, false, false]);
});

test("an instance that refuses a worker's connects is told as unhealthy", async () => {
  const one = follower();
  harness.followers.follow("web", one);
  const ask = (): Admission | undefined =>
    harness.workers[0]?.dispatcher.admit({ host: "a", target: "/", isAbandoned: () => true });
  for (let asked = 0; asked < 5; asked += 1) {
    const exchange = ask() as Exchange;
    void exchange.connectFailed();
    exchange.end();
  }
  await turn();
  const healthy = one.told.at(-1)?.observation.instances.filter((instance) => instance.healthy);
  expect(healthy).toHaveLength(3);
});

test("each hears of what it follows until its connection ends", async () => {
  const [one, other] = [follower(), follower()];
  harness.followers.follow("web", one);
  harness.followers.follow("shop", other);
  expect(other.told).toMatchObject([{ service: "shop", observation: { split: null, instances: [] } }]);
  harness.setHealth("blue", false);
  await turn();
  expect([one.told.length, other.told.length]).toEqual([2, 1]);
  one.close();
  await turn();
  harness.setHealth("blue", true);
  await turn();
  expect(one.told).toHaveLength(2);
});
