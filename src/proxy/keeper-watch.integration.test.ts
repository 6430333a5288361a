import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PATIENCE, ProxyHarness } from "../../test/proxy-harness.ts";
import { isAlive } from "./keeper-watch.ts";

const source = (path: string): string => JSON.stringify(fileURLToPath(new URL(`../${path}`, import.meta.url)));

/** Stands in for the keeper: answers `status`, writes down how it was started, and counts its descriptors' sockets. */
const KEEPER = `
import { fstatSync, writeFileSync } from "node:fs";
import { PeerServer } from ${source("wire/connect.ts")};
import { KEEPER_PROTOCOL } from ${source("wire/keeper.ts")};
import { StatePaths } from ${source("wire/paths.ts")};
const launch = JSON.parse(process.argv[2]);
const answer = { pid: process.pid, runtime: "", listeners: [], proxies: [], server: { pid: null, restarts: 0, cannotRun: false } };
const handlers = { ...Object.fromEntries(Object.keys(KEEPER_PROTOCOL.calls).map((call) => [call, () => ({})])), status: () => { writeFileSync(launch.root + "/asked", ""); return answer; } };
await PeerServer.listen(new StatePaths(launch.root).keeperSocket, KEEPER_PROTOCOL, handlers);
const sockets = launch.inherited.map(({ fd }) => fstatSync(fd).isSocket());
writeFileSync(launch.root + "/started.json", JSON.stringify({ pid: process.pid, sockets, ...launch }));
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
const record = (): { pid: number; sockets: boolean[]; inherited: { listen: string }[] } | null => {
  const path = join(harness.paths.root, "started.json");
  if (!existsSync(path)) return null;
  const text = readFileSync(path, "utf8");
  return text === "" ? null : (JSON.parse(text) as ReturnType<typeof record>);
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
