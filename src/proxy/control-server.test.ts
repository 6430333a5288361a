import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import { connectPeer, type PeerServer } from "../wire/connect.ts";
import type { Peer } from "../wire/peer.ts";
import { PROXY_PROTOCOL, type ProxyProtocol } from "../wire/proxy.ts";
import { serveControl } from "./control-server.ts";
import { toldOf } from "./observation.ts";
import { PlaneHarness, tableOf } from "./plane-harness.ts";

let folder: string;
let harness: PlaneHarness;
let server: PeerServer<ProxyProtocol>;
let peer: Peer<ProxyProtocol>;
let told: unknown;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "teal-control-"));
  const clock = new ManualClock();
  harness = new PlaneHarness({
    snapshotClock: new ManualClock(),
    clock,
    // A disk that takes nothing: no answer waits for it.
    snapshotPath: join(folder, "none", "proxy.snapshot"),
    log: () => undefined,
  });
  const { plane, followers } = harness;
  const path = join(folder, "s.sock");
  const rest = { isDraining: () => false, onSignOfLife: () => undefined, drain: () => undefined };
  server = await serveControl({ path, clock, plane, followers, epoch: "e", ...rest });
  const prepare = (to: Peer<ProxyProtocol>): void => {
    to.onNotice("observed", ({ observation }) => {
      told = observation;
    });
  };
  peer = await connectPeer(path, PROXY_PROTOCOL, { down: "data-plane-down", prepare });
});
afterEach(async () => {
  peer.close();
  await server.close();
  harness.plane.close();
  rmSync(folder, { recursive: true });
});

test("whoever has the answer of a change was told of the change before", async () => {
  const { plane } = harness;
  const act = async (answer: Promise<unknown>): Promise<void> => {
    const toldThen = answer.then(() => told);
    await harness.settle([toldThen]);
    expect(await toldThen).toEqual(toldOf(plane.observe("web")));
  };
  await act(peer.call("observe", { service: "web", follow: true }));
  await act(peer.call("apply", tableOf({})));
  const shift = tableOf({ generation: 2, green: 50, deployment: "d1", arms: true });
  await act(peer.call("apply", shift));
  await act(peer.call("revert", { service: "web", deployment: "d1" }));
  await act(peer.call("apply", { ...shift, fence: 2, deployment: "d2" }));
  expect(plane.observe("web").armed).not.toBeNull();
  await act(peer.call("disarm", { service: "web", deployment: "d2", fence: 2 }));
  expect(plane.observe("web").armed).toBeNull();
  await act(peer.call("remove", { service: "web", fence: 2 }));
  expect(plane.observe("web").instances).toEqual([]);
});

test("who reverts past the server is told whether the disk has it; nobody else waits for that", async () => {
  const { plane } = harness;
  await harness.settle([plane.apply(tableOf({ green: 50, deployment: "d1", arms: true }))]);
  const order = { service: "web", deployment: "d1" };
  const { split, ...rest } = await peer.call("revert", order);
  expect([split?.weights, rest]).toEqual([{ blue: 100, green: 0 }, {}]);
  expect(await peer.call("revert", { ...order, durableWithinMs: 0 })).toEqual({ split, durable: false });
});
