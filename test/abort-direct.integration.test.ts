import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { connectPeer } from "../src/wire/connect.ts";
import { KEEPER_PROTOCOL } from "../src/wire/keeper.ts";
import { isAlive } from "../src/wire/process-stat.ts";
import { proxySettings } from "../src/wire/shapes.ts";
import { CuttableDisk } from "./cuttable-disk.ts";
import { requires, requiresCuttableDisk } from "./requires.ts";
import { goOn, Site } from "./site.ts";

interface Direct {
  readonly deployment: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly reverted: boolean;
  readonly proxies: number;
  readonly tookMs: number;
  readonly durable: boolean;
}

/** A proxy that is replaced drains for as long as there is a WebSocket. */
const SLOW = { traffic: { longLived: "120s" }, deploy: { shift: [{ weight: 50, for: "120s" }] } };

/** v1 on blue; v2 has half of the traffic. Returns the deployment and the server's process. */
async function shifting(site: Site): Promise<{ id: string; server: number }> {
  expect((await site.deployed("v1")).state).toBe("completed");
  await site.configure(SLOW);
  const id = await site.deploy("v2");
  await site.until("50 %", async () => (await site.service()).observed?.["green"] === 50);
  const { server } = await site.pids();
  if (server === null) throw new Error("no server runs");
  return { id, server };
}

async function direct(site: Site): Promise<Direct> {
  const { code, stdout, stderr } = await site.cli("abort", "--direct", "--json", "--reason", "wrong version");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Direct;
}

/** Another proxy for other settings; the one before drains for as long as a connection of it is open. */
async function replacedProxy(site: Site): Promise<{ draining: number; serving: number; socket: WebSocket }> {
  const socket = new WebSocket(`${site.url.replace(/^http/, "ws")}/echo`);
  // Its proxy is killed in the end.
  socket.on("error", () => undefined);
  await once(socket, "open");
  const [draining = 0] = (await site.pids()).proxies;
  const peer = await connectPeer(site.paths.keeperSocket, KEEPER_PROTOCOL, { down: "keeper-down" });
  const settings = proxySettings.parse({ limits: { bodyBytes: 7 } });
  await peer.call("listeners.ensure", { listen: ["127.0.0.1:0"], settings }, { timeoutMs: 20_000 });
  peer.close();
  const serving = (await site.pids()).proxies.find((pid) => pid !== draining) ?? 0;
  expect(serving).not.toBe(0);
  return { draining, serving, socket };
}

/** No server comes back from this. */
async function loseStore(site: Site, server: number): Promise<void> {
  for (const name of await readdir(site.paths.root)) {
    if (name.startsWith("teal.db")) await writeFile(join(site.paths.root, name), "this is no database any more");
  }
  process.kill(server, "SIGKILL");
}

async function ended(site: Site, pid: number): Promise<void> {
  await site.until(`${String(pid)} ends`, () => Promise.resolve(!isAlive(pid)));
}

/** A site on a disk of its own; the ledgers of its apps are not on it. */
async function onDisk(): Promise<{ site: Site; disk: CuttableDisk }> {
  const site = await Site.create();
  const disk = CuttableDisk.over(site.dir, ["ledgers"]);
  site.afterwards(() => disk[Symbol.asyncDispose]());
  site.runThrough(disk.boot);
  await site.start();
  return { site, disk };
}

/** The version that answers a request. */
async function served(site: Site): Promise<Set<string>> {
  const versions = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const answer = (await (await fetch(site.url)).json()) as { version: string };
      return answer.version;
    }),
  );
  return new Set(versions);
}

test("abort --direct gives the traffic back while the server is stopped, and the server does the rest when it goes on", async () => {
  await using site = await Site.up();
  const { id, server } = await shifting(site);
  const both = await served(site);
  process.kill(server, "SIGSTOP");
  try {
    const done = await direct(site);
    expect(done).toMatchObject({ deployment: id, weights: { blue: 100, green: 0 }, reverted: true, proxies: 1 });
    expect(done.tookMs).toBeLessThan(10_000);
    expect(both.size).toBe(2);
    expect((await served(site)).size).toBe(1);
    const again = await site.cli("abort", "--direct");
    expect([again.code, again.stderr]).toEqual([6, expect.stringContaining("nothing-to-abort")]);
  } finally {
    goOn(server);
  }
  const cause = { kind: "abort", by: userInfo().username, reason: "wrong version" };
  expect(await site.ended(id)).toMatchObject({ state: "aborted", cause });
  expect(await site.service()).toMatchObject({ active: "blue", observed: { blue: 100 }, deployment: null });
});

test("the word of who aborts is at the proxy until a server reads it, though all of Teal is killed in between", async () => {
  await using site = await Site.up();
  const { id, server } = await shifting(site);
  process.kill(server, "SIGSTOP");
  await direct(site);
  const { keeper, proxies } = await site.pids();
  for (const pid of [keeper, server, ...proxies]) process.kill(pid, "SIGKILL");
  await site.start();
  const cause = { kind: "abort", by: userInfo().username, reason: "wrong version" };
  expect(await site.ended(id)).toMatchObject({ state: "aborted", cause });
});

test("abort --direct works when the server is killed and its store is unreadable", async () => {
  await using site = await Site.up();
  const { id, server } = await shifting(site);
  await loseStore(site, server);
  expect(await direct(site)).toMatchObject({ deployment: id, weights: { blue: 100 }, reverted: true });
  expect((await served(site)).size).toBe(1);
});

test("abort --direct without a proxy says that there is no traffic to give back", async () => {
  await using site = await Site.create();
  const { code, stderr } = await site.cli("abort", "--direct");
  expect([code, stderr]).toEqual([1, expect.stringContaining("data-plane-down")]);
});

test("an older proxy that drains and hangs: the traffic is back, and it is exit 1 with the process to end", async () => {
  await using site = await Site.up();
  const { id, server } = await shifting(site);
  const { draining, serving, socket } = await replacedProxy(site);
  await loseStore(site, server);
  process.kill(draining, "SIGSTOP");
  try {
    const { code, stdout, stderr } = await site.cli("abort", "--direct", "--json");
    expect([code, stdout]).toEqual([1, ""]);
    expect(JSON.parse(stderr)).toMatchObject({
      code: "data-plane-down",
      detail: `proxy ${String(draining)} does not answer (it is stopped, as by SIGSTOP): it may still serve the release that is to be taken back. At 1 other proxy the traffic of web is back, and nothing of ${id} is taken any more`,
      remedy: expect.stringContaining(`kill -9 ${String(draining)}`),
    });
    expect(await served(site)).toEqual(new Set(["v1"]));
    const again = await site.cli("abort", "--direct");
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringContaining(`proxy ${String(draining)} does not answer`),
    ]);
  } finally {
    process.kill(draining, "SIGKILL");
  }
  await ended(site, draining);
  socket.terminate();
  const last = await site.cli("abort", "--direct");
  expect([last.code, last.stderr]).toEqual([6, expect.stringContaining("nothing-to-abort")]);
  expect((await site.pids()).proxies).toEqual([serving]);
});

test("the proxy that serves hangs beside one that drains: after `kill -9`, the one that takes its place is asked again", async () => {
  await using site = await Site.up();
  const { server } = await shifting(site);
  const { draining, serving, socket } = await replacedProxy(site);
  await loseStore(site, server);
  const { keeper } = await site.pids();
  // It would end a proxy that is stopped as a whole, though not one that serves on.
  process.kill(keeper, "SIGSTOP");
  try {
    process.kill(serving, "SIGSTOP");
    const { code, stderr } = await site.cli("abort", "--direct");
    expect([code, stderr]).toEqual([1, expect.stringContaining(`kill -9 ${String(serving)}`)]);
    process.kill(serving, "SIGKILL");
    await ended(site, serving);
    const none = await site.cli("abort", "--direct");
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining("no proxy that takes new connections is there"),
    ]);
  } finally {
    goOn(keeper);
  }
  // It begins with the split of before: the latch is in no snapshot.
  await site.until("another proxy", async () => {
    const { proxies } = await site.pids();
    return proxies.some((pid) => pid !== draining && pid !== serving);
  });
  expect((await served(site)).size).toBe(2);
  expect(await direct(site)).toMatchObject({ weights: { blue: 100 }, reverted: true, durable: true });
  expect(await served(site)).toEqual(new Set(["v1"]));
  socket.terminate();
});

test("a power cut right after the answer does not undo it", async (test) => {
  await requiresCuttableDisk(test);
  const { site, disk } = await onDisk();
  await using _ = site;
  const { id, server } = await shifting(site);
  process.kill(server, "SIGSTOP");
  expect(await direct(site)).toMatchObject({ reverted: true, durable: true });
  await disk.cutPower();
  await site.start();
  const cause = { kind: "abort", by: userInfo().username, reason: "wrong version" };
  expect(await site.ended(id)).toMatchObject({ state: "aborted", cause });
});

test("where the disk stands still the traffic is back, and it is told that a power cut would undo that", async (test) => {
  requires(test, "fsfreeze");
  await requiresCuttableDisk(test);
  const { site, disk } = await onDisk();
  await using _ = site;
  const { id, server } = await shifting(site);
  process.kill(server, "SIGSTOP");
  disk.freeze();
  try {
    const { code, stdout, stderr } = await site.cli("abort", "--direct");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/The traffic is back \(.*\n.*disk does not have it yet\. After a power cut now dep_/);
    expect(await served(site)).toEqual(new Set(["v1"]));
    await disk.cutPower();
  } finally {
    disk.thaw();
  }
  await site.start();
  // What was told comes true: it goes on, and is aborted again.
  await site.until("50 %", async () => (await site.service()).observed?.["green"] === 50);
  expect((await site.cli("abort")).code).toBe(0);
  expect((await site.ended(id)).state).toBe("aborted");
});
