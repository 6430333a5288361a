import { readFileSync, writeFileSync, existsSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeeperHarness, PATIENCE, WEB_APP } from "../../test/keeper-harness.ts";
import { proxySettings } from "../wire/shapes.ts";
import { groupOf } from "./family.ts";
import { bootId } from "./procfs.ts";
import { keeperRecord } from "./record.ts";
import { isAlive } from "../wire/process-stat.ts";

let harness: KeeperHarness;
beforeEach(() => {
  harness = new KeeperHarness();
});
afterEach(() => harness.close());

const answer = async (address: string | undefined): Promise<string> =>
  (await fetch(`http://${String(address)}/`)).text();
const ensure = (...listen: string[]) => harness.keeper.call("listeners.ensure", { listen }, { timeoutMs: 20_000 });
/** Prints a number every 20 ms, and answers 200. */
const TICKING = `${WEB_APP}\nlet tick = 0; setInterval(() => console.log("tick " + (tick += 1)), 20);`;

function ticks(log: string): number[] {
  return [...log.matchAll(/ tick (\d+)$/gm)].map((match) => Number(match[1]));
}

/** Kills the keeper and lets the proxy start the next one; the new pid. */
async function replaceKeeper(): Promise<number> {
  const old = await harness.pid();
  const { proxies } = await harness.keeper.call("status", {});
  process.kill(old, "SIGKILL");
  await expect.poll(() => isAlive(old), PATIENCE).toBe(false);
  process.kill(proxies[0]?.pid ?? 0, "SIGUSR2");
  await expect.poll(() => harness.pid(), PATIENCE).not.toBe(old);
  return harness.pid();
}

test("a proxy serves the addresses; the same addresses again change nothing", async () => {
  await harness.start();
  const first = await ensure("127.0.0.1:0");
  const pid = String(first.proxies[0]?.pid);
  await expect.poll(() => answer(first.listeners[0]?.address), PATIENCE).toBe(pid);
  expect(await ensure("127.0.0.1:0")).toEqual(first);
});

test("other addresses bring a new proxy, and the one before drains and ends", async () => {
  await harness.start();
  const before = await ensure("127.0.0.1:0");
  const after = await ensure("127.0.0.1:0", "localhost:0");
  expect(after.listeners[0]).toEqual(before.listeners[0]);
  const serving = after.proxies.find(({ draining }) => !draining);
  expect(serving?.pid).not.toBe(before.proxies[0]?.pid);
  for (const { address } of after.listeners)
    await expect.poll(() => answer(address), PATIENCE).toBe(String(serving?.pid));
  await expect.poll(async () => (await harness.keeper.call("status", {})).proxies.length, PATIENCE).toBe(1);
  const fewer = await ensure("localhost:0");
  expect(fewer.listeners).toEqual(after.listeners.slice(1));
  await expect.poll(() => answer(before.listeners[0]?.address).catch(() => "refused"), PATIENCE).toBe("refused");
});

test("other settings bring a new proxy on the same addresses; a proxy or keeper that comes back has the same", async () => {
  const settings = proxySettings.parse({ forwarded: "both", timeouts: { headMs: 1_234 } });
  const live = async (address: string): Promise<unknown> =>
    JSON.parse((await fetch(`http://${address}/`)).headers.get("settings") ?? "null");
  const give = (some: typeof settings) =>
    harness.keeper.call("listeners.ensure", { listen: ["127.0.0.1:0"], settings: some }, { timeoutMs: 20_000 });
  const kill = async (): Promise<void> => {
    const pids = (await harness.keeper.call("status", {})).proxies.map(({ pid }) => pid);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await expect
      .poll(
        async () => (await harness.keeper.call("status", {})).proxies.filter(({ pid }) => !pids.includes(pid)).length,
        PATIENCE,
      )
      .toBe(1);
  };
  await harness.start();
  const first = await ensure("127.0.0.1:0");
  const address = first.listeners[0]?.address ?? "";
  await expect.poll(() => live(address), PATIENCE).toEqual(proxySettings.parse({}));
  const second = await give(settings);
  expect(second.listeners).toEqual(first.listeners);
  const serving = second.proxies.find(({ draining }) => !draining)?.pid;
  expect(serving).not.toBe(first.proxies[0]?.pid);
  await expect.poll(() => live(address), PATIENCE).toEqual(settings);
  await expect.poll(async () => (await harness.keeper.call("status", {})).proxies.length, PATIENCE).toBe(1);
  for (const same of [await give(settings), await ensure("127.0.0.1:0")])
    expect(same.proxies.map(({ pid }) => pid)).toEqual([serving]);
  await kill();
  await expect.poll(() => live(address), PATIENCE).toEqual(settings);
  await replaceKeeper();
  await kill();
  await expect.poll(() => live(address), PATIENCE).toEqual(settings);
}, 60_000);

test("a taken port is refused by name and holder, and what served before still serves", async () => {
  const stranger = createServer().listen(0, "127.0.0.1");
  await expect.poll(() => stranger.listening).toBe(true);
  const taken = stranger.address();
  const port = typeof taken === "object" && taken !== null ? taken.port : 0;
  try {
    await harness.start();
    const before = await ensure("127.0.0.1:0");
    const refusal = ensure("127.0.0.1:0", `127.0.0.1:${String(port)}`);
    await expect(refusal).rejects.toMatchObject({ code: "port-taken" });
    await expect(refusal).rejects.toThrow(`127.0.0.1:${String(port)} is taken by pid ${String(process.pid)} (`);
    expect(await ensure("127.0.0.1:0")).toEqual(before);
  } finally {
    stranger.close();
  }
});

test("kill -9 of the proxy refuses nobody, and another serves", async () => {
  await harness.start();
  const { listeners, proxies } = await ensure("127.0.0.1:0");
  const old = proxies[0]?.pid ?? 0;
  const [host, port] = listeners[0]?.address.split(":") ?? [];
  process.kill(old, "SIGKILL");
  let refused = 0;
  const deadline = Date.now() + 20_000;
  for (let pid = String(old); pid === String(old) && Date.now() < deadline;) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), host, () => resolve());
      socket.on("error", () => {
        refused += 1;
        resolve();
      });
      socket.on("connect", () => socket.destroy());
    });
    const status = await harness.keeper.call("status", {});
    pid = String(status.proxies[0]?.pid ?? old);
  }
  expect(refused).toBe(0);
  await harness.pid();
  await expect.poll(() => answer(listeners[0]?.address), PATIENCE).not.toBe(String(old));
});

test("an app writes on while nobody reads, and its lines are in the log once somebody does", async () => {
  const keeper = await harness.start();
  const { proxies } = await ensure("127.0.0.1:0");
  const count = join(harness.folder, "count");
  const app = `import { writeFileSync } from "node:fs"; let tick = 0;
    setInterval(() => { console.log("tick " + (tick += 1)); writeFileSync(${JSON.stringify(count)}, String(tick)); }, 2);`;
  const { pid } = await harness.startInstance(harness.spec("blue", harness.app("ticking", app)));
  await expect.poll(() => ticks(harness.logOf("blue")).length, PATIENCE).toBeGreaterThan(5);
  process.kill(keeper, "SIGKILL");
  await expect.poll(() => isAlive(keeper), PATIENCE).toBe(false);
  const written = Number(readFileSync(count, "utf8"));
  await expect.poll(() => Number(readFileSync(count, "utf8")), PATIENCE).toBeGreaterThan(written + 100);
  expect(isAlive(pid ?? 0)).toBe(true);
  process.kill(proxies[0]?.pid ?? 0, "SIGUSR2");
  await expect.poll(() => harness.pid(), PATIENCE).not.toBe(keeper);
  const unread = Array.from({ length: 90 }, (_, index) => written + 10 + index);
  await expect.poll(() => unread.filter((tick) => !ticks(harness.logOf("blue")).includes(tick)), PATIENCE).toEqual([]);
});

test("a keeper after kill -9 takes over apps, proxy, server and sockets as they are", async () => {
  const first = await harness.start();
  const before = await ensure("127.0.0.1:0");
  await harness.startInstance(harness.spec("blue", harness.app("web", TICKING)));
  const app = await harness.untilState("web/blue/v1/0", "ready");
  const { server } = await harness.keeper.call("status", {});
  expect(await replaceKeeper()).not.toBe(first);
  const after = await harness.keeper.call("status", {});
  expect(after).toMatchObject({ listeners: before.listeners, proxies: before.proxies, server: { pid: server.pid } });
  expect(await harness.instance(app.id)).toEqual(app);
  const seen = ticks(harness.logOf("blue")).length;
  await expect.poll(() => ticks(harness.logOf("blue")).length, PATIENCE).toBeGreaterThan(seen + 10);
  const all = ticks(harness.logOf("blue"));
  // Not a line is lost but those that the dead keeper had read and not written.
  expect(all.at(-1)).toBeLessThanOrEqual(all.length + 5);
});

test("an adopted app is started again with its variables when it dies, on the same port", async () => {
  await harness.start();
  await ensure("127.0.0.1:0");
  await harness.startInstance(harness.spec("blue", harness.app("web", WEB_APP)));
  const app = await harness.untilState("web/blue/v1/0", "ready");
  await replaceKeeper();
  process.kill(app.pid ?? 0, "SIGKILL");
  await expect.poll(async () => (await harness.instance(app.id))?.restarts, PATIENCE).toBe(1);
  const again = await harness.untilState(app.id, "ready");
  expect(again.address).toBe(app.address);
  expect(JSON.parse(await answer(again.address ?? undefined))).toMatchObject({ env: { SECRET: "hunter2" } });
});

test("no listening socket leaks into an app, of a keeper that bound them or one that took them over", async () => {
  await harness.start();
  await ensure("127.0.0.1:0");
  const spy = ["/bin/sh", "-c", "ls -l /proc/$$/fd; exec sleep 60"];
  await harness.startInstance(harness.spec("blue", spy));
  await replaceKeeper();
  await harness.startInstance(harness.spec("green", spy));
  for (const environment of ["blue", "green"]) {
    await expect.poll(() => harness.logOf(environment), PATIENCE).toMatch(/ 2 -> .*fifo/);
    expect(harness.logOf(environment)).not.toContain("socket:");
  }
});

test("an app that died while there was no keeper is forgotten, so that the server starts it again", async () => {
  const keeper = await harness.start();
  const { proxies } = await ensure("127.0.0.1:0");
  await harness.startInstance(harness.spec("blue", harness.app("web", WEB_APP)));
  const app = await harness.untilState("web/blue/v1/0", "ready");
  process.kill(keeper, "SIGKILL");
  await expect.poll(() => isAlive(keeper), PATIENCE).toBe(false);
  process.kill(app.pid ?? 0, "SIGKILL");
  await expect.poll(() => isAlive(app.pid ?? 0), PATIENCE).toBe(false);
  process.kill(proxies[0]?.pid ?? 0, "SIGUSR2");
  await expect.poll(() => harness.pid(), PATIENCE).not.toBe(keeper);
  expect(await harness.instance(app.id)).toBeUndefined();
  expect((await harness.startInstance(harness.spec("blue", harness.app("web", WEB_APP)))).restarts).toBe(0);
  await harness.untilState(app.id, "ready");
});

test("what a keeper had started and not recorded when it died is found: proxy and server go on, apps are ended", async () => {
  const keeper = await harness.start();
  const { proxies } = await ensure("127.0.0.1:0");
  const { server } = await harness.keeper.call("status", {});
  const app = await harness.startInstance(harness.spec("blue", harness.app("web", WEB_APP)));
  process.kill(keeper, "SIGKILL");
  await expect.poll(() => isAlive(keeper), PATIENCE).toBe(false);
  rmSync(harness.paths.keeperRecord);
  process.kill(proxies[0]?.pid ?? 0, "SIGUSR2");
  await expect.poll(() => harness.pid(), PATIENCE).not.toBe(keeper);
  const after = await harness.keeper.call("status", {});
  expect(after.proxies.map(({ pid }) => pid)).toEqual(proxies.map(({ pid }) => pid));
  expect(after.server.pid).toBe(server.pid);
  const again = await harness.startInstance(harness.spec("blue", harness.app("web", WEB_APP)));
  expect(isAlive(app.pid ?? 0)).toBe(false);
  expect(again.pid).not.toBe(app.pid);
});

test("children that a dead app left behind do not outlive the keeper that comes next", async () => {
  const keeper = await harness.start();
  const { proxies } = await ensure("127.0.0.1:0");
  const app = await harness.startInstance(harness.spec("blue", ["/bin/sh", "-c", "sleep 62 & wait"]));
  const group = (): readonly number[] => groupOf(app.pid ?? 0);
  await expect.poll(() => group().length, PATIENCE).toBe(2);
  process.kill(keeper, "SIGKILL");
  await expect.poll(() => isAlive(keeper), PATIENCE).toBe(false);
  process.kill(app.pid ?? 0, "SIGKILL");
  await expect.poll(() => group().length, PATIENCE).toBe(1);
  process.kill(proxies[0]?.pid ?? 0, "SIGUSR2");
  await expect.poll(group, PATIENCE).toEqual([]);
});

test("processes that were recorded in another boot are nobody's", async () => {
  const app = harness.spec("blue", ["/bin/sleep", "60"]);
  const { variables: _none, ...spec } = app;
  const stat = { pid: process.pid, startTicks: 1, startedAt: 0 };
  const record = {
    version: 1,
    bootId: `not-${bootId()}`,
    listeners: [],
    proxies: [],
    server: stat,
    instances: [{ spec, ...stat, port: 20_000, ready: true, restarts: 0 }],
  };
  await harness.start();
  await harness.keeper.call("down", { drainMs: 0 });
  await expect.poll(() => existsSync(harness.paths.keeperSocket), PATIENCE).toBe(false);
  writeFileSync(harness.paths.keeperRecord, JSON.stringify(record));
  await harness.start();
  expect((await harness.keeper.call("instances.list", {})).instances).toEqual([]);
  expect((await harness.keeper.call("status", {})).server.pid).not.toBe(process.pid);
});

test("a second keeper of a state directory is refused and names the first", async () => {
  const first = await harness.start();
  const { code, said } = await harness.refused();
  expect(code).toBe(78);
  expect(said).toContain(`pid ${String(first)}`);
});

test("a keeper that nobody handed the sockets to leaves a proxy that serves alone", async () => {
  const first = await harness.start();
  const { listeners, proxies } = await ensure("127.0.0.1:0");
  process.kill(first, "SIGKILL");
  await expect.poll(() => isAlive(first), PATIENCE).toBe(false);
  const { code, said } = await harness.refused();
  expect(code).toBe(78);
  expect(said).toContain(`the proxy with pid ${String(proxies[0]?.pid)} still serves`);
  expect(await answer(listeners[0]?.address)).toBe(String(proxies[0]?.pid));
  process.kill(proxies[0]?.pid ?? 0, "SIGUSR2");
  await expect.poll(() => harness.pid(), PATIENCE).not.toBe(first);
});

test("the record holds no variables, and only its owner may read it", async () => {
  await harness.start();
  await harness.startInstance(harness.spec("blue", harness.app("web", WEB_APP)));
  const text = readFileSync(harness.paths.keeperRecord, "utf8");
  expect(keeperRecord.parse(JSON.parse(text)).instances).toHaveLength(1);
  expect(text).not.toContain("hunter2");
});

test("a server that dies is started again; one that cannot run waits until teal.yaml changes", async () => {
  await harness.start();
  const server = async () => (await harness.keeper.call("status", {})).server;
  await expect.poll(async () => (await server()).pid, PATIENCE).not.toBeNull();
  const first = await server();
  writeFileSync(join(harness.paths.root, "refuse"), "");
  process.kill(first.pid ?? 0, "SIGKILL");
  await expect.poll(async () => (await server()).restarts, PATIENCE).toBe(1);
  await expect
    .poll(() => readFileSync(join(harness.paths.logs, "keeper.log"), "utf8"), PATIENCE)
    .toMatch(/exit code 78/);
  expect(await server()).toMatchObject({ pid: null, restarts: 1, cannotRun: true });
  rmSync(join(harness.paths.root, "refuse"));
  writeFileSync(join(harness.folder, "teal.yaml"), "# mended");
  await expect.poll(async () => (await server()).pid, PATIENCE).not.toBeNull();
});

test.each(["down", "SIGTERM"] as const)("%s leaves no process and no socket file", async (way) => {
  const keeper = await harness.start();
  const { proxies } = await ensure("127.0.0.1:0");
  await harness.startInstance(harness.spec("blue", harness.app("web", WEB_APP)));
  const app = await harness.untilState("web/blue/v1/0", "ready");
  const { server } = await harness.keeper.call("status", {});
  const pids = [keeper, server.pid, app.pid, proxies[0]?.pid].map((pid) => pid ?? 0);
  expect(pids.every(isAlive)).toBe(true);
  if (way === "down") await harness.keeper.call("down", { drainMs: 1_000 });
  else process.kill(keeper, "SIGTERM");
  await expect.poll(() => pids.filter(isAlive), PATIENCE).toEqual([]);
  expect([harness.paths.keeperSocket, harness.paths.keeperRecord, harness.paths.run].filter(existsSync)).toEqual([]);
});
