import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type App, HEALTH, PATIENCE, ProxyHarness, tableOf } from "../../../../test/proxy-harness.ts";
import { systemClock } from "../../../main/clock.ts";
import type { ActContext } from "../../../ports/context.ts";
import { trafficConformance } from "../../../ports/traffic.conformance.ts";
import type { TrafficNotice } from "../../../ports/traffic.ts";
import { KEEPER_PROTOCOL, type KeeperProtocol } from "../../../wire/keeper.ts";
import { ReconnectingPeer } from "../../../wire/reconnecting.ts";
import { EmbeddedTraffic } from "./driver.ts";

class EmbeddedHarness extends ProxyHarness {
  readonly keeper = new ReconnectingPeer<KeeperProtocol>({
    path: this.paths.keeperSocket,
    protocol: KEEPER_PROTOCOL,
    down: "keeper-down",
  });
  readonly driver = new EmbeddedTraffic({ keeper: this.keeper, clock: systemClock });

  async request(): Promise<string | null> {
    const response = await fetch(this.url);
    return response.headers.has("teal-error") ? null : response.text();
  }

  override async close(): Promise<void> {
    this.driver.close();
    this.keeper.close();
    await super.close();
  }
}

trafficConformance("embedded", async () => {
  const harness = new EmbeddedHarness();
  await harness.startKeeper();
  await harness.startProxy();
  const apps = new Map<string, App>();
  return {
    driver: harness.driver,
    backend: async (environment) => {
      const app = await harness.app(environment);
      apps.set(environment, app);
      const id = `web/${environment}/v1/0`;
      return { environment, release: "v1", instances: [{ id, address: app.address }] };
    },
    setHealth: (environment, isHealthy) => {
      const app = apps.get(environment);
      if (app !== undefined) app.health = isHealthy ? 200 : 500;
    },
    request: () => harness.request(),
    close: () => harness.close(),
  };
});

describe("a set of proxies", () => {
  let harness: EmbeddedHarness;
  let apps: { blue: App[]; green: App[] };
  const never = new AbortController().signal;
  beforeEach(async () => {
    harness = new EmbeddedHarness();
    await harness.startKeeper();
    apps = { blue: [await harness.app("blue")], green: [await harness.app("green")] };
  });
  afterEach(() => harness.close());

  const context = (deadlineMs = 10_000): ActContext => ({
    signal: never,
    fence: 1,
    idempotencyKey: "test",
    attempt: 1,
    deadline: performance.now() + deadlineMs,
  });
  const splits = async (pids: readonly number[]): Promise<(number | undefined)[]> =>
    Promise.all(
      pids.map(async (pid) => (await (await harness.peer(pid)).call("observe", { service: "web" })).split?.generation),
    );

  test("applies to all that live, and goes on with those that are left when one dies", async () => {
    const [first, second] = [await harness.startProxy(), await harness.startProxy()];
    const heard: TrafficNotice[] = [];
    harness.driver.notices((notice) => heard.push(notice), never);
    await expect
      .poll(() => heard.filter(({ kind }) => kind === "connected").length, PATIENCE)
      .toBeGreaterThanOrEqual(2);
    await harness.driver.apply(tableOf(apps, { blue: 100 }), context());
    expect(await splits([first.pid, second.pid])).toEqual([1, 1]);
    const gone = once(first, "exit");
    first.kill("SIGKILL");
    const receipt = await harness.driver.apply(tableOf(apps, { green: 100 }, { generation: 2 }), context());
    expect(receipt.generation).toBe(2);
    await gone;
    expect(await splits([second.pid])).toEqual([2]);
  });

  test("each proxy's samples come by themselves, with its epoch and since when it counts", async () => {
    await harness.startProxy();
    await harness.startProxy();
    const newest = new Map<string, { since: number | undefined; requests: number }>();
    harness.driver.watch(({ epoch, since, environments }) => {
      newest.set(epoch, { since, requests: environments["blue"]?.requests ?? 0 });
    }, never);
    await harness.driver.apply(tableOf(apps, { blue: 100 }), context());
    for (let n = 0; n < 40; n += 1) await fetch(harness.url, { headers: { connection: "close" } });
    const all = (): number => [...newest.values()].reduce((sum, { requests }) => sum + requests, 0);
    await expect.poll(all, PATIENCE).toBe(40);
    expect(newest.size).toBe(2);
    for (const { since } of newest.values()) expect(since).toBeLessThanOrEqual(Date.now());
  });

  test("a proxy that comes with an older snapshot is brought up to date", async () => {
    const first = await harness.startProxy();
    await harness.driver.apply(tableOf(apps, { blue: 100 }), context());
    // The newcomer's snapshot is from before the next change, and the driver may not be connected to it yet.
    const second = await harness.startProxy();
    await harness.driver.apply(tableOf(apps, { green: 100 }, { generation: 2 }), context());
    await expect.poll(() => splits([first.pid, second.pid]), PATIENCE).toEqual([2, 2]);
  });

  test("a proxy that comes with a finished deployment armed is disarmed", async () => {
    const first = await harness.startProxy();
    await harness.driver.apply(tableOf(apps, { blue: 100, green: 0 }), context());
    const shift = { deployment: "d1", revertTo: { blue: 100, green: 0 }, generation: 2 };
    await harness.driver.apply(tableOf(apps, { blue: 0, green: 100 }, shift), context());
    const older = join(harness.folder, "older.snapshot");
    copyFileSync(harness.paths.proxySnapshot, older);
    await harness.driver.disarm("web", "d1", context());
    const gone = once(first, "exit");
    first.kill("SIGKILL");
    await gone;
    copyFileSync(older, harness.paths.proxySnapshot);
    const peer = await harness.peer((await harness.startProxy()).pid);
    await expect.poll(async () => (await peer.call("observe", { service: "web" })).armed, PATIENCE).toBeNull();
    expect((await peer.call("observe", { service: "web" })).split).toMatchObject({ generation: 2 });
  });

  test("a proxy that stands still tells nothing after a little, and what it has told counts again when it goes on", async () => {
    const proxy = await harness.startProxy();
    await harness.driver.apply(tableOf(apps, { blue: 100 }), context());
    const { instances } = await harness.driver.observe("web", never);
    expect(instances).toHaveLength(2);
    const generation = (): number | undefined => harness.driver.told("web")?.split?.generation;
    expect(generation()).toBe(1);
    proxy.kill("SIGSTOP");
    await expect.poll(generation, PATIENCE).toBeUndefined();
    await expect(harness.driver.observe("web", AbortSignal.timeout(200))).rejects.toMatchObject({
      code: "deadline-passed",
    });
    proxy.kill("SIGCONT");
    await expect.poll(generation, PATIENCE).toBe(1);
  });

  test("an instance that a worker finds gone before a check does is told as unhealthy", async () => {
    await harness.startProxy();
    const health = { ...HEALTH, intervalMs: 3_600_000 };
    await harness.driver.apply(tableOf(apps, { blue: 100 }, { health }), context());
    await harness.driver.observe("web", never);
    const healthy = (): boolean | undefined =>
      harness.driver.told("web")?.instances.find(({ environment }) => environment === "blue")?.healthy;
    expect(healthy()).toBe(true);
    await Promise.all(apps.blue.map((app) => app.stop()));
    const asking = new AbortController();
    const asked = Array.from({ length: 10 }, () => fetch(harness.url, { signal: asking.signal }).catch(() => null));
    await expect.poll(healthy, PATIENCE).toBe(false);
    asking.abort();
    await Promise.all(asked);
  });

  test("with no proxy, a call waits for one, and says so after its deadline", async () => {
    const late = harness.driver.apply(tableOf(apps, { blue: 100 }), context(300));
    await expect(late).rejects.toMatchObject({ code: "data-plane-down" });
    const waiting = harness.driver.apply(tableOf(apps, { blue: 100 }), context());
    await harness.startProxy();
    expect((await waiting).generation).toBe(1);
  });

  test("a revert of another controller is told once; its own is not", async () => {
    const first = await harness.startProxy();
    await harness.startProxy();
    const heard: TrafficNotice[] = [];
    harness.driver.notices((notice) => heard.push(notice), never);
    await expect
      .poll(() => heard.filter(({ kind }) => kind === "connected").length, PATIENCE)
      .toBeGreaterThanOrEqual(2);
    await harness.driver.apply(tableOf(apps, { blue: 100, green: 0 }), context());
    const shift = { deployment: "d1", revertTo: { blue: 100, green: 0 } };
    await harness.driver.apply(tableOf(apps, { blue: 0, green: 100 }, { ...shift, generation: 2 }), context());
    await (await harness.peer(first.pid)).call("revert", { service: "web", deployment: "d1" });
    const reverts = (): TrafficNotice[] => heard.filter(({ kind }) => kind === "reverted");
    await expect.poll(reverts, PATIENCE).toMatchObject([{ deployment: "d1", split: { generation: 3 } }]);
    await harness.driver.revert("web", "d1", never);
    expect(reverts()).toHaveLength(1);
  });
});
