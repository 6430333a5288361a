import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PATIENCE, ProxyHarness } from "../../test/proxy-harness.ts";
import { isAlive } from "../wire/process-stat.ts";

const source = (path: string): string => JSON.stringify(fileURLToPath(new URL(`../${path}`, import.meta.url)));

/** Stands in for the keeper: answers `status`, writes down how it was started, and counts its descriptors' sockets. */
const KEEPER = `
import { appendFileSync, fstatSync, renameSync, writeFileSync } from "node:fs";
import { PeerServer } from ${source("wire/connect.ts")};
import { KEEPER_PROTOCOL } from ${source("wire/keeper.ts")};
import { StatePaths } from ${source("wire/paths.ts")};
const launch = JSON.parse(process.argv[2]);
const answer = { pid: process.pid, runtime: "", listeners: [], proxies: [], server: { pid: null, restarts: 0, cannotRun: false } };
const handlers = { ...Object.fromEntries(Object.keys(KEEPER_PROTOCOL.calls).map((call) => [call, () => ({})])), status: () => { writeFileSync(launch.root + "/asked", ""); return answer; }, ping: () => { appendFileSync(launch.root + "/pings", "."); return {}; } };
await PeerServer.listen(new StatePaths(launch.root).keeperSocket, KEEPER_PROTOCOL, handlers);
const sockets = launch.inherited.map(({ fd }) => fstatSync(fd).isSocket());
writeFileSync(launch.root + "/started.new", JSON.stringify({ pid: process.pid, sockets, ...launch }));
renameSync(launch.root + "/started.new", launch.root + "/started.json");
`;

let harness: ProxyHarness;
let runtime: string;
const keepers: number[] = [];
beforeEach(() => {
  harness = new ProxyHarness();
  runtime = join(harness.folder, "runtime");
  mkdirSync(runtime);
  writeFileSync(join(runtime, "keeper.ts"), KEEPER);
});
afterEach(async () => {
  for (const pid of keepers.splice(0)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  await harness.close();
});

/** Whether the proxy has found the keeper. */
const asked = (): boolean => existsSync(join(harness.paths.root, "asked"));
const record = (): { pid: number; sockets: boolean[]; afterHung?: number; inherited: { listen: string }[] } | null => {
  const path = join(harness.paths.root, "started.json");
  if (!existsSync(path)) return null;
  return JSON.parse(readFileSync(path, "utf8")) as ReturnType<typeof record>;
};

async function firstKeeper(): Promise<ChildProcess> {
  const launch = { root: harness.paths.root, runtime, config: "", inherited: [] };
  const child = spawn(process.execPath, [join(runtime, "keeper.ts"), JSON.stringify(launch)], { stdio: "ignore" });
  await expect.poll(() => record()?.pid, PATIENCE).toBe(child.pid);
  keepers.push(child.pid ?? 0);
  return child;
}

test("a keeper that dies is started again, with the listening sockets", async () => {
  const keeper = await firstKeeper();
  await harness.startProxy({ runtime });
  await expect.poll(asked, PATIENCE).toBe(true);
  keeper.kill("SIGKILL");
  await expect.poll(() => record()?.pid, PATIENCE).not.toBe(keeper.pid);
  const next = record();
  keepers.push(next?.pid ?? 0);
  expect(next?.sockets).toEqual([true]);
  expect(next?.inherited).toMatchObject([{ listen: `127.0.0.1:${String(harness.port)}` }]);
});

test("a keeper that died before its proxy had asked it anything is started again", async () => {
  const keeper = await firstKeeper();
  keeper.kill("SIGKILL");
  await once(keeper, "exit");
  await harness.startProxy({ runtime, ...(keeper.pid === undefined ? {} : { keeper: keeper.pid }) });
  await expect.poll(() => record()?.pid, PATIENCE).not.toBe(keeper.pid);
  keepers.push(record()?.pid ?? 0);
});

/** How often keepers were asked whether they are well. */
const pings = (): number => {
  const path = join(harness.paths.root, "pings");
  return existsSync(path) ? readFileSync(path, "utf8").length : 0;
};

test("a keeper that hangs is ended, and another takes its place, which hears why", async () => {
  const keeper = await firstKeeper();
  await harness.startProxy({ runtime });
  await expect.poll(pings, PATIENCE).toBeGreaterThan(0);
  keeper.kill("SIGSTOP");
  await expect.poll(() => record()?.pid, { ...PATIENCE, timeout: 60_000 }).not.toBe(keeper.pid);
  const next = record();
  keepers.push(next?.pid ?? 0);
  expect(next).toMatchObject({ sockets: [true], afterHung: keeper.pid });
  expect(keeper.signalCode).toBe("SIGKILL");
  expect(harness.log).toMatch(/has not answered for 20 s: it is stopped, as by SIGSTOP; it is ended with SIGKILL/);
});

test("a machine that stood still, keeper and proxy alike, goes on with the keeper that it had", async () => {
  const keeper = await firstKeeper();
  const proxy = await harness.startProxy({ runtime });
  await expect.poll(pings, PATIENCE).toBeGreaterThan(0);
  proxy.kill("SIGSTOP");
  keeper.kill("SIGSTOP");
  // Longer than it takes to say that a keeper hangs; there is nothing to ask of who stands still.
  await wait(25_000);
  // The one that judges is first: the other answers as late as it can.
  proxy.kill("SIGCONT");
  await wait(2_000);
  const before = pings();
  keeper.kill("SIGCONT");
  await expect.poll(pings, PATIENCE).toBeGreaterThan(before + 2);
  expect([keeper.exitCode, keeper.signalCode, record()?.pid]).toEqual([null, null, keeper.pid]);
  expect(harness.log).not.toContain("has not answered");
});

test("a draining proxy leaves the keeper dead", async () => {
  const keeper = await firstKeeper();
  const proxy = await harness.startProxy({ runtime });
  await expect.poll(asked, PATIENCE).toBe(true);
  // A connection that stays open, so that the proxy has to wait for its deadline.
  const idle = connect(harness.port, "127.0.0.1");
  idle.on("error", () => idle.destroy());
  await once(idle, "connect");
  const peer = await harness.peer(proxy.pid);
  await peer.call("drain", { deadlineMs: 1_500 });
  keeper.kill("SIGKILL");
  await expect.poll(() => proxy.exitCode, PATIENCE).toBe(0);
  expect(record()?.pid).toBe(keeper.pid);
  idle.destroy();
});
