import { once } from "node:events";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { findTeal } from "../src/keeper/orphans.ts";
import { allProcesses, readCommandLine } from "../src/keeper/procfs.ts";
import { isToGoOn } from "../src/keeper/record.ts";
import { systemClock } from "../src/main/clock.ts";
import { connectPeer } from "../src/wire/connect.ts";
import { KEEPER_PROTOCOL } from "../src/wire/keeper.ts";
import { isAlive } from "../src/wire/process-stat.ts";
import { proxySettings } from "../src/wire/shapes.ts";
import { seeded, seedOfThisRun } from "./campaign/seeded.ts";
import { goOn, Site } from "./site.ts";

/** Longest until requests are answered again, from the kill on. Measured: 2.3 to 3 s, and 4 to 11 s at a load of ten per core. */
const BACK_MS = 30_000;
/** Longer than a server waits, several times. */
const LONG_MS = 6_000;

interface Running {
  readonly keeper: number;
  readonly server: number | null;
  readonly proxies: readonly number[];
}

/** In one instant: no process gets to run between the two signals that would notice the first. */
function killBoth({ keeper, proxies }: Running): number {
  for (const pid of [keeper, ...proxies]) process.kill(pid, "SIGSTOP");
  for (const pid of [keeper, ...proxies]) process.kill(pid, "SIGKILL");
  return performance.now();
}

/** Nothing of it is listed any more: a process that was killed may take a while to end. */
async function gone(site: Site, { keeper, proxies }: Running): Promise<void> {
  await site.until("both have ended", () => Promise.resolve(![keeper, ...proxies].some(isAlive)));
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(5_000) })).status === 200;
  } catch {
    return false;
  }
}

/** A connection that a draining proxy waits for. */
async function opened(site: Site): Promise<WebSocket> {
  const socket = new WebSocket(`${site.url.replace(/^http/, "ws")}/echo`);
  await once(socket, "open");
  // Its proxy may be killed.
  socket.on("error", () => undefined);
  return socket;
}

const count = (site: Site, program: "keeper" | "proxy" | "server"): number => findTeal(program, site.paths.root).length;

/** One of each, and neither of those that were killed; what the server was before, and the apps, go on. */
async function tookOver(site: Site, before: Running, apps: readonly number[]): Promise<void> {
  const now = await site.until("keeper and proxy", async () => {
    const found = await site.pids();
    return found.proxies.length === 1 && found.keeper !== before.keeper ? found : null;
  });
  expect(before.proxies).not.toContain(now.proxies[0]);
  expect(now.server).toBe(before.server);
  const processes = (["keeper", "proxy", "server"] as const).map((program) => count(site, program));
  expect(processes).toEqual([1, 1, 1]);
  expect(await site.appPids()).toEqual(apps);
}

function left(site: Site): string[] {
  return allProcesses()
    .map(({ pid }) => `${String(pid)} ${readCommandLine(pid).join(" ").slice(0, 160)}`)
    .filter((line) => line.includes(site.dir));
}

/** For so long that somebody would have started something, it is looked whether somebody has. */
async function stays(site: Site, what: () => unknown, wanted: unknown): Promise<void> {
  const until = performance.now() + LONG_MS;
  await site.until("time passes", () => {
    expect(what()).toEqual(wanted);
    return Promise.resolve(performance.now() > until);
  });
}

describe("keeper and proxy die together, and the server starts them again", () => {
  test("at 50 % of a deployment and under load: it ends in one healthy version, and no app is started anew", async () => {
    const shift = [
      { weight: 10, for: "300ms" },
      { weight: 50, for: "6s" },
    ];
    await using site = await Site.up({ deploy: { shift } });
    expect((await site.deployed("v1")).state).toBe("completed");
    const load = new LoadGenerator({ url: site.url, rate: 60, mostMs: 600_000 });
    load.start();
    const id = await site.deploy("v2");
    await site.atStep(id, "shift-50");
    await site.until("half of the traffic", async () => {
      const { observed } = await site.service();
      return Object.values(observed ?? {}).includes(50);
    });
    const [before, apps] = [await site.pids(), await site.appPids()];
    const killed = Date.now();
    const began = killBoth(before);
    await site.until("an answer", () => answers(site.url), BACK_MS);
    const tookMs = performance.now() - began;
    await tookOver(site, before, apps);
    const { state, cause } = await site.ended(id);
    expect({ state, cause }).toEqual({ state: "completed", cause: null });
    await load.stop();
    const { active, traffic, observed } = await site.service();
    expect(traffic[active ?? ""]).toBe(100);
    expect(observed).toEqual(traffic);
    // What was lost was lost while there was no proxy.
    const { losses } = load.ledger;
    expect(losses.length).toBeGreaterThan(0);
    expect(losses.filter(({ at }) => at < killed - 50 || at > killed + tookMs + 1_000)).toEqual([]);
  });

  test("the keeper dies in its pause before it starts a dead proxy again", async () => {
    await using site = await Site.up();
    expect((await site.deployed("v1")).state).toBe("completed");
    const apps = await site.appPids();
    let before = await site.pids();
    // Each that dies soon after its start lengthens the pause; then there is time to see that none runs.
    for (let kills = 0; kills < 5; kills += 1) {
      before = await site.until("a proxy", async () => {
        const now = await site.pids();
        return now.proxies.length === 1 ? now : null;
      });
      for (const pid of before.proxies) process.kill(pid, "SIGKILL");
      await site.until("the keeper knows", async () => (await site.pids()).proxies[0] !== before.proxies[0]);
    }
    expect(count(site, "proxy")).toBe(0);
    process.kill(before.keeper, "SIGKILL");
    await site.until("an answer", () => answers(site.url), BACK_MS);
    await tookOver(site, before, apps);
    expect((await site.deployed("v2")).state).toBe("completed");
  });

  test("an older proxy that still drains keeps nobody from listening again", async () => {
    await using site = await Site.up({ traffic: { longLived: "60s" } });
    expect((await site.deployed("v1")).state).toBe("completed");
    const apps = await site.appPids();
    const socket = await opened(site);
    const first = await site.pids();
    const peer = await connectPeer(site.paths.keeperSocket, KEEPER_PROTOCOL, { down: "keeper-down" });
    const settings = proxySettings.parse({ limits: { bodyBytes: 7 } });
    await peer.call("listeners.ensure", { listen: ["127.0.0.1:0"], settings }, { timeoutMs: 20_000 });
    peer.close();
    const both = await site.pids();
    expect(both.proxies).toHaveLength(2);
    const serving = both.proxies.filter((pid) => !first.proxies.includes(pid));
    killBoth({ ...both, proxies: serving });
    await site.until("an answer", () => answers(site.url), BACK_MS);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
    expect(await site.appPids()).toEqual(apps);
    expect(count(site, "keeper")).toBe(1);
  });

  test("`teal up` at the same time: there is one keeper, and the command says where Teal listens", async () => {
    await using site = await Site.up();
    expect((await site.deployed("v1")).state).toBe("completed");
    const random = seeded(seedOfThisRun());
    for (let round = 0; round < 3; round += 1) {
      const [before, apps] = [await site.pids(), await site.appPids()];
      killBoth(before);
      await systemClock.sleep(random() * 2_000);
      const { code, stdout, stderr } = await site.cli("up", "--detach");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain(new URL(site.url).host);
      await site.until("an answer", () => answers(site.url));
      await tookOver(site, before, apps);
    }
  });
});

describe("nobody is started", () => {
  test("while the server stands still: then it is all that could, and does when it goes on", async () => {
    await using site = await Site.up();
    expect((await site.deployed("v1")).state).toBe("completed");
    const [before, apps] = [await site.pids(), await site.appPids()];
    process.kill(before.server ?? 0, "SIGSTOP");
    killBoth(before);
    await gone(site, before);
    await stays(site, () => [count(site, "keeper"), count(site, "proxy")], [0, 0]);
    expect(await answers(site.url)).toBe(false);
    goOn(before.server ?? 0);
    await site.until("an answer", () => answers(site.url));
    await tookOver(site, before, apps);
  });

  test("after `teal down`, whenever it comes", { timeout: 240_000 }, async () => {
    await using site = await Site.up();
    expect((await site.deployed("v1")).state).toBe("completed");
    const random = seeded(seedOfThisRun());
    for (let round = 0; round < 4; round += 1) {
      await site.start();
      await site.until("an answer", () => answers(site.url));
      killBoth(await site.pids());
      const afterMs = Math.round(random() * 3_000);
      await systemClock.sleep(afterMs);
      const { code, stderr } = await site.cli("down", "--yes", "--drain", "1s");
      expect({ code, stderr, afterMs }).toEqual({ code: 0, stderr: "", afterMs });
      expect(left(site)).toEqual([]);
    }
    await stays(site, () => left(site), []);
  });

  test("where `teal down` had begun, and its keeper was killed", async () => {
    await using site = await Site.up({ traffic: { drain: "20s" } });
    expect((await site.deployed("v1")).state).toBe("completed");
    const before = await site.pids();
    const socket = await opened(site);
    const going = site.cli("down", "--yes", "--drain", "20s");
    await site.until("it has begun", async () => !(await isToGoOn(site.paths.keeperRecord)));
    killBoth(before);
    await gone(site, before);
    await stays(site, () => [count(site, "keeper"), count(site, "proxy")], [0, 0]);
    expect((await going).stderr).toContain("[keeper-down]");
    socket.terminate();
    await site.start();
  });

  test("where the state directory was moved away", async () => {
    await using site = await Site.up();
    expect((await site.deployed("v1")).state).toBe("completed");
    const before = await site.pids();
    const away = join(site.dir, "away");
    await rename(site.paths.root, away);
    killBoth(before);
    await gone(site, before);
    const keepers = (): number => left(site).filter((line) => line.includes("/keeper.mjs ")).length;
    await stays(site, keepers, 0);
    await rename(away, site.paths.root);
    await site.until("an answer", () => answers(site.url));
  });
});
