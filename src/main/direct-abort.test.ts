import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { serveControl } from "../proxy/control-server.ts";
import { HeldThreads } from "../proxy/held-threads.ts";
import { PlaneHarness, tableOf } from "../proxy/plane-harness.ts";
import { PeerServer } from "../wire/connect.ts";
import type { Protocol } from "../wire/protocol.ts";
import { PROXY_PROTOCOL } from "../wire/proxy.ts";
import { systemClock } from "./clock.ts";
import { type DirectAbort, directAbort } from "./direct-abort.ts";
import { statePathsOf } from "./state-paths.ts";

/** Pids of proxies that are part of this process: none can be another's. */
const [FIRST, SECOND] = [4_194_305, 4_194_306];
const ARMED = tableOf({ green: 50, deployment: "dep_1", arms: true });
const BACK = { blue: 100, green: 0 };

let folder: string;
const undo: (() => Promise<unknown>)[] = [];
const socketOf = (pid: number): string => statePathsOf(join(folder, "teal.yaml")).proxySocket(pid);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-direct-"));
  mkdirSync(join(folder, ".teal"));
});
afterEach(async () => {
  await Promise.all(undo.splice(0).map((act) => act()));
  rmSync(folder, { recursive: true });
});

function abort(): Promise<DirectAbort> {
  const about = { service: null, by: "ann", reason: null, clock: systemClock, signal: AbortSignal.timeout(20_000) };
  return directAbort({ config: join(folder, "teal.yaml"), ...about });
}

/** A data plane behind its own control socket, with half of the traffic at the new release. */
async function proxy(pid: number, { isDraining = false, table = ARMED } = {}): Promise<PlaneHarness> {
  const clock = systemClock;
  const snapshotPath = join(folder, ".teal", "proxy.snapshot");
  const harness = new PlaneHarness({ clock, snapshotClock: clock, snapshotPath });
  const { plane, followers } = harness;
  await harness.settle([plane.apply(table)]);
  const rest = { isDraining: () => isDraining, onSignOfLife: () => undefined, drain: () => undefined };
  const server = await serveControl({ path: socketOf(pid), clock, plane, followers, epoch: "e", ...rest });
  undo.push(async () => {
    await server.close();
    plane.close();
  });
  return harness;
}

/** As one whose main thread hangs: the kernel takes connections for it, and nobody answers. */
async function hung(pid: number): Promise<void> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(socketOf(pid), resolve));
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
}

const weightsOf = ({ plane }: PlaneHarness): unknown => plane.observe("web").split?.weights;

test("all that live give the traffic back, and the disk has it; a socket whose process is gone counts for nothing", async () => {
  const [one, other] = [await proxy(FIRST), await proxy(SECOND, { isDraining: true })];
  const server = await PeerServer.listen<Protocol>(join(folder, "s.sock"), PROXY_PROTOCOL, {});
  // A server takes the file away that it made, as no killed process does.
  renameSync(join(folder, "s.sock"), socketOf(7));
  await server.close();
  expect(await abort()).toMatchObject({
    deployment: "dep_1",
    weights: BACK,
    reverted: true,
    proxies: 2,
    durable: true,
  });
  expect([weightsOf(one), weightsOf(other)]).toEqual([BACK, BACK]);
  await expect(abort()).rejects.toMatchObject({ code: "nothing-to-abort" });
  expect(existsSync(socketOf(7))).toBe(true);
});

test("where one hangs, the others give the traffic back before it is waited for, and it is named", async () => {
  const one = await proxy(FIRST);
  await hung(SECOND);
  let isOver = false;
  const aborting = abort().finally(() => (isOver = true));
  aborting.catch(() => undefined);
  await expect.poll(() => weightsOf(one), { timeout: 20_000, interval: 5 }).toEqual(BACK);
  expect(isOver).toBe(false);
  await expect(aborting).rejects.toMatchObject({
    code: "data-plane-down",
    message: expect.stringMatching(/proxy 4194306 does not answer .*may still serve.* the traffic of web is back/),
    remedy: expect.stringContaining("kill -9 4194306"),
  });
});

test("that nothing is armed is not said while one hangs that may have it armed", async () => {
  await proxy(FIRST, { table: tableOf({}) });
  await hung(SECOND);
  const problem = {
    code: "data-plane-down",
    message: expect.stringMatching(/proxy 4194306 does not answer .* it may still serve[^.]*$/),
  };
  await expect(abort()).rejects.toMatchObject(problem);
});

test("a proxy that drains is not the one that the next connections go to", async () => {
  const one = await proxy(FIRST, { isDraining: true });
  const problem = {
    code: "data-plane-down",
    message: expect.stringContaining("the next one begins with the split of"),
  };
  await expect(abort()).rejects.toMatchObject(problem);
  expect(weightsOf(one)).toEqual(BACK);
  await expect(abort()).rejects.toMatchObject(problem);
});

test("a disk that stands still keeps no traffic from going back, and is told of", async () => {
  const one = await proxy(FIRST);
  await using threads = new HeldThreads(folder);
  threads.hold();
  expect(await abort()).toMatchObject({ reverted: true, durable: false });
  expect(weightsOf(one)).toEqual(BACK);
});

test("one of an older version is told, though it cannot tell; and whether its disk has it is not known", async () => {
  await proxy(FIRST, { isDraining: true });
  const asked: unknown[] = [];
  const split = { service: "web", fence: 1, generation: 2, weights: BACK };
  const old = await PeerServer.listen<Protocol>(
    socketOf(SECOND),
    { ...PROXY_PROTOCOL, versions: [1] },
    {
      ping: () => ({ epoch: "e", pid: SECOND, draining: false }),
      revert: (order) => {
        asked.push(order);
        return { split };
      },
    },
  );
  undo.push(() => old.close());
  expect(await abort()).toMatchObject({ proxies: 2, reverted: true, durable: false });
  expect(asked[0]).toMatchObject({ service: "web", deployment: "dep_1" });
});
