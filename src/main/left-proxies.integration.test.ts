import { once } from "node:events";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PATIENCE, ProxyHarness } from "../../test/proxy-harness.ts";
import { systemClock } from "./clock.ts";
import { down, type DownResult } from "./down.ts";

const source = (path: string): string => JSON.stringify(fileURLToPath(new URL(`../${path}`, import.meta.url)));

/** Stands in for the keeper; one that a proxy has started takes it down with itself. */
const KEEPER = `
import { writeFileSync } from "node:fs";
import { PeerServer } from ${source("wire/connect.ts")};
import { KEEPER_PROTOCOL } from ${source("wire/keeper.ts")};
import { StatePaths } from ${source("wire/paths.ts")};
const launch = JSON.parse(process.argv[2]);
const answer = { pid: process.pid, runtime: "", listeners: [], proxies: [], server: { pid: null, restarts: 0, cannotRun: false } };
const none = Object.fromEntries(Object.keys(KEEPER_PROTOCOL.calls).map((call) => [call, () => ({})]));
const down = () => {
  process.kill(process.ppid, "SIGKILL");
  setTimeout(() => process.exit(0), 50);
  return {};
};
const ping = () => { writeFileSync(launch.root + "/pinged", ""); return {}; };
await PeerServer.listen(new StatePaths(launch.root).keeperSocket, KEEPER_PROTOCOL, { ...none, status: () => answer, ping, down });
`;

let harness: ProxyHarness;
let runtime: string;
beforeEach(() => {
  harness = new ProxyHarness();
  runtime = join(harness.folder, "runtime");
  mkdirSync(runtime);
});
afterEach(() => harness.close());

function stop(folder: string): Promise<DownResult> {
  const { signal } = new AbortController();
  const config = join(folder, "teal.yaml");
  return down({ config, drainMs: 300, stopMs: 0, clock: systemClock, signal, say: () => undefined });
}

test("a proxy that drains without a keeper is ended after the drain, also by way of a link to the folder", async () => {
  const proxy = await harness.startProxy({ runtime });
  const ended = once(proxy, "exit");
  const idle = connect(harness.port, "127.0.0.1");
  idle.on("error", () => idle.destroy());
  await once(idle, "connect");
  const peer = await harness.peer(proxy.pid);
  await peer.call("drain", { deadlineMs: 600_000 });
  const link = join(harness.folder, "link");
  symlinkSync(harness.folder, link);
  expect(await stop(link)).toEqual({ stopped: true });
  expect(await ended).toEqual([null, "SIGTERM"]);
  idle.destroy();
  expect(await stop(harness.folder)).toEqual({ stopped: false });
});

test("a keeper that hangs is waited for until its proxy has put another in its place", async () => {
  writeFileSync(join(runtime, "keeper.ts"), KEEPER);
  const launch = JSON.stringify({ root: harness.paths.root });
  const keeper = spawn(process.execPath, [join(runtime, "keeper.ts"), launch], { stdio: "ignore" });
  const ended = once(keeper, "exit");
  try {
    await expect.poll(() => existsSync(harness.paths.keeperSocket), PATIENCE).toBe(true);
    const proxy = await harness.startProxy({ runtime });
    await expect.poll(() => existsSync(join(harness.paths.root, "pinged")), PATIENCE).toBe(true);
    keeper.kill("SIGSTOP");
    expect(await stop(harness.folder)).toEqual({ stopped: true });
    expect(await ended).toEqual([null, "SIGKILL"]);
    await expect.poll(() => proxy.signalCode, PATIENCE).toBe("SIGKILL");
  } finally {
    keeper.kill("SIGKILL");
  }
});
