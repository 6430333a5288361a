import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { ManualClock } from "../../../engine/testing/manual-clock.ts";
import type { ToldObservation, TrafficObservation } from "../../../ports/traffic.ts";
import { PeerServer } from "../../../wire/connect.ts";
import { KEEPER_PROTOCOL, type KeeperProtocol } from "../../../wire/keeper.ts";
import type { CallInfo, Peer } from "../../../wire/peer.ts";
import type { Notice } from "../../../wire/protocol.ts";
import { PROXY_PROTOCOL, type ProxyProtocol } from "../../../wire/proxy.ts";
import { ReconnectingPeer } from "../../../wire/reconnecting.ts";
import { EmbeddedTraffic } from "./driver.ts";

const PATIENCE = { timeout: 20_000, interval: 5 };
/** The newest, of version 3, and one from before it. */
const OLDER = {
  ...PROXY_PROTOCOL,
  versions: [2, 1] as const,
  calls: {
    ...PROXY_PROTOCOL.calls,
    observe: { ...PROXY_PROTOCOL.calls.observe, params: z.object({ service: z.string() }) },
  },
} as unknown as ProxyProtocol;

const unasked = (): never => {
  throw new Error("nobody asks this here");
};

/** The other end of a proxy's control socket, which says what a test has it say. */
class StandIn {
  readonly pid: number;
  readonly path: string;
  generation = 1;
  /** A process that is stopped: it takes what it is sent, and answers nothing. */
  isStill = false;
  asked = 0;
  pinged = 0;
  /** Between an answer of `observe` and its way out. */
  beforeAnswer: () => void = () => undefined;
  #server: PeerServer<ProxyProtocol> | null = null;
  readonly #followers = new Set<Peer<ProxyProtocol>>();

  constructor(pid: number, folder: string) {
    this.pid = pid;
    this.path = join(folder, `${String(pid)}.sock`);
  }

  async serve(protocol: ProxyProtocol = PROXY_PROTOCOL): Promise<this> {
    this.#server = await PeerServer.listen(this.path, protocol, {
      ping: () => this.#answer({ epoch: "e", pid: this.pid, draining: false }, () => (this.pinged += 1)),
      services: unasked,
      observe: (params, info) => this.#observed(params.follow === true, info),
      apply: unasked,
      revert: unasked,
      disarm: unasked,
      remove: unasked,
      maintain: unasked,
      drain: unasked,
    });
    return this;
  }

  /** The change, and the notice of it. */
  become(generation: number): void {
    this.generation = generation;
    for (const peer of this.#followers) peer.notify("observed", this.#told);
  }

  async close(): Promise<void> {
    await this.#server?.close();
    this.#followers.clear();
  }

  get #told(): Notice<ProxyProtocol, "observed"> {
    const split = { fence: 1, generation: this.generation, weights: { blue: 100 } };
    return { service: "web", observation: { split, armed: null, latched: [], instances: [], maintenance: "off" } };
  }

  #observed(follows: boolean, { peer }: CallInfo<ProxyProtocol>) {
    const { observation } = this.#told;
    if (follows && !this.#followers.has(peer)) {
      this.#followers.add(peer);
      peer.notify("observed", this.#told);
    }
    return this.#answer({ ...observation, instances: [] }, () => {
      this.asked += 1;
      this.beforeAnswer();
    });
  }

  #answer<T>(answer: T, note: () => void): T | Promise<T> {
    note();
    return this.isStill ? new Promise(() => undefined) : answer;
  }
}

const never = new AbortController().signal;
let folder: string;
let clock: ManualClock;
let draining: Set<number>;
let proxies: StandIn[];
let keeper: PeerServer<KeeperProtocol>;
let toKeeper: ReconnectingPeer<KeeperProtocol>;
let driver: EmbeddedTraffic;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "teal-told-"));
  clock = new ManualClock();
  draining = new Set();
  proxies = [];
  const path = join(folder, "k.sock");
  keeper = await PeerServer.listen(path, KEEPER_PROTOCOL, {
    status: () => ({
      pid: 1,
      runtime: folder,
      listeners: [],
      proxies: rows(),
      server: { pid: null, restarts: 0, cannotRun: false },
    }),
    "listeners.ensure": unasked,
    "instances.start": unasked,
    "instances.stop": unasked,
    "instances.list": unasked,
    "proxy.replace": unasked,
    "server.replace": unasked,
    "keeper.replace": unasked,
    present: unasked,
    ping: () => ({}),
    down: unasked,
  });
  toKeeper = new ReconnectingPeer({ path, protocol: KEEPER_PROTOCOL, down: "keeper-down" });
  driver = new EmbeddedTraffic({ keeper: toKeeper, clock });
});
afterEach(async () => {
  driver.close();
  toKeeper.close();
  await Promise.all([keeper.close(), ...proxies.map((proxy) => proxy.close())]);
  rmSync(folder, { recursive: true });
});

const rows = (): Notice<KeeperProtocol, "proxies">["proxies"] =>
  proxies.map(({ pid, path }) => ({ pid, socket: path, draining: draining.has(pid), startedAt: 0 }));
const tellProxies = (): void => {
  keeper.notify("proxies", { proxies: rows() });
};
async function starts(pid: number, protocol?: ProxyProtocol): Promise<StandIn> {
  const proxy = await new StandIn(pid, folder).serve(protocol);
  proxies.push(proxy);
  tellProxies();
  return proxy;
}
const observe = (): Promise<TrafficObservation> => driver.observe("web", never);
const generationOf = (seen: ToldObservation | null): number | null => seen?.split?.generation ?? null;
const told = (): number | null => generationOf(driver.told("web"));
/** The reconnect's waits are the clock's. */
async function untilTold(generation: number | null, stepMs = 20): Promise<void> {
  const look = (): number | null => {
    clock.advance(stepMs);
    return told();
  };
  await expect.poll(look, PATIENCE).toBe(generation);
}

test("what was told answers without asking, and follows what changes", async () => {
  const proxy = await starts(10);
  expect(told()).toBeNull();
  await observe();
  expect([told(), proxy.asked]).toEqual([1, 1]);
  proxy.become(2);
  await expect.poll(told, PATIENCE).toBe(2);
  expect(driver.told("shop")).toBeNull();
  expect(proxy.asked).toBe(1);
});

test("an answer that was given before a change, and comes after the notice of it, takes nothing back", async () => {
  const proxy = await starts(10);
  await observe();
  proxy.beforeAnswer = () => {
    proxy.become(2);
  };
  expect(generationOf(await observe())).toBe(1);
  expect(told()).toBe(2);
});

test("a proxy that kept a change to itself would be shown as it was: what is told is all that there is", async () => {
  const proxy = await starts(10);
  await observe();
  proxy.generation = 2;
  expect(generationOf(await observe())).toBe(2);
  expect(told()).toBe(1);
});

test("what was told before the connection ended counts no more", async () => {
  const proxy = await starts(10);
  await observe();
  expect(told()).toBe(1);
  await proxy.close();
  await expect.poll(told, PATIENCE).toBeNull();
  // Of what changes in between nobody is told.
  proxy.generation = 2;
  await proxy.serve();
  const pinged = (): number => {
    clock.advance(1_000);
    return proxy.pinged;
  };
  await expect.poll(pinged, PATIENCE).toBeGreaterThan(1);
  expect(told()).toBeNull();
  await observe();
  await untilTold(2);
});

test("of two proxies the one that stays counts, whatever the other has told", async () => {
  const old = await starts(10);
  await observe();
  const next = await starts(20);
  next.generation = 5;
  draining.add(10);
  tellProxies();
  // Not the old one's, though it is still there: that of the next is not known yet.
  await untilTold(null);
  await observe();
  expect([told(), old.asked, next.asked]).toEqual([5, 2, 1]);
  old.become(9);
  next.become(6);
  await expect.poll(told, PATIENCE).toBe(6);
  draining.add(20);
  draining.delete(10);
  tellProxies();
  await untilTold(9);
});

test("a proxy from before version 3 tells nothing: it is asked", async () => {
  const proxy = await starts(10, OLDER);
  expect(generationOf(await observe())).toBe(1);
  expect(told()).toBeNull();
  expect(generationOf(await observe())).toBe(1);
  expect(proxy.asked).toBe(2);
});

test("a proxy that stands still has told nothing, from 2 s after its last word until it goes on", async () => {
  const proxy = await starts(10);
  await observe();
  proxy.isStill = true;
  const begun = clock.monotonic();
  clock.advance(2_000);
  expect(told()).toBe(1);
  clock.advance(1);
  expect(told()).toBeNull();
  await expect(driver.observe("web", AbortSignal.timeout(50))).rejects.toMatchObject({ code: "deadline-passed" });
  expect(clock.monotonic() - begun).toBe(2_001);
  proxy.isStill = false;
  await untilTold(1, 1_000);
});
