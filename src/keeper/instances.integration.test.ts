import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HEALTH, KeeperHarness, PATIENCE, WEB_APP } from "../../test/keeper-harness.ts";
import { systemClock } from "../main/clock.ts";
import type { InstanceReport, InstanceSpec } from "../wire/keeper.ts";
import { StatePaths } from "../wire/paths.ts";
import { Instances } from "./instances.ts";
import { Ports } from "./ports.ts";
import { groupOf } from "./family.ts";
import { isAlive } from "../wire/process-stat.ts";

/** Only for its apps and specs: these tests look at instances from within. */
let apps: KeeperHarness;
let folder: string;
let instances: Instances;
let states: string[];
const ID = "web/blue/v1/0";

beforeEach(() => {
  apps = new KeeperHarness();
  folder = mkdtempSync(join(tmpdir(), "teal-instances-"));
  states = [];
  instances = new Instances({
    paths: new StatePaths(folder),
    clock: systemClock,
    ports: new Ports(Math.random),
    changed: ({ report: { state, code } }) => {
      const text = code === null ? state : `${state} ${code}`;
      if (states.at(-1) !== text) states.push(text);
    },
  });
});
afterEach(async () => {
  const pids = instances.list().flatMap(({ pid }) => pid ?? []);
  await instances.stopAll();
  expect(pids.flatMap((pid) => groupOf(pid))).toEqual([]);
  await apps.close();
  rmSync(folder, { recursive: true });
});

const now = (): InstanceReport | undefined => instances.list()[0];
const until = async (state: InstanceReport["state"]): Promise<InstanceReport> => {
  await expect.poll(() => now()?.state, PATIENCE).toBe(state);
  const report = now();
  if (report === undefined) throw new Error("the instance is gone");
  return report;
};
const start = async (command: string[], more: Partial<InstanceSpec> = {}): Promise<InstanceReport | undefined> =>
  (await instances.start([apps.spec("blue", command, more)]))[0];
const portOf = (report: InstanceReport | undefined): number => Number(report?.address?.split(":")[1]);
const listen = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) =>
      socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
    );
    server.once("error", reject).listen(port, "127.0.0.1", () => resolve(server));
  });

describe("a stranger on the port", () => {
  /** Listens only after a while, so that a stranger can be first. */
  const LATE_APP = `
import { createServer } from "node:http";
setTimeout(() => createServer((_, response) => response.end()).listen(Number(process.env.PORT), "127.0.0.1"), 400);
`;

  test("its 200 does not make the instance ready; another port does", async () => {
    const first = await start(apps.app("late", LATE_APP));
    const stranger = await listen(portOf(first));
    const ready = await until("ready");
    stranger.close();
    expect(portOf(ready)).not.toBe(portOf(first));
    expect(states).toContain("starting port-stranger");
    expect(ready).toMatchObject({ code: null, restarts: 0 });
  });

  test("that makes the app end for want of its port is found out as well", async () => {
    const first = await start(["/bin/sh", "-c", "sleep 0.4; exit 1"], { health: { ...HEALTH, timeoutMs: 60_000 } });
    // Takes connections and never answers, so that only the app's end can tell.
    const stranger = createServer(() => undefined).listen(portOf(first), "127.0.0.1");
    await expect.poll(() => states, PATIENCE).toContain("starting port-stranger");
    stranger.close();
    expect(portOf(now())).not.toBe(portOf(first));
  });

  test("after three ports it is given up, by name", async () => {
    const strangers: Server[] = [];
    const seen = new Set<number>();
    await start(["/bin/sleep", "60"]);
    const squat = async (): Promise<string | undefined> => {
      const port = portOf(now());
      if (!seen.has(port)) strangers.push(await listen(port));
      seen.add(port);
      return now()?.state;
    };
    await expect.poll(squat, { ...PATIENCE, interval: 2 }).toBe("failed");
    for (const stranger of strangers) stranger.close();
    expect(seen.size).toBe(3);
    expect(now()).toMatchObject({ code: "port-stranger", pid: null });
    expect(now()?.reason).toContain(`pid ${String(process.pid)} (`);
  });
});

describe("starting", () => {
  test("is ready soon after the app listens: no whole interval is waited for the first look", async () => {
    const health = { ...HEALTH, intervalMs: 60_000, healthyAfter: 1 };
    await start(apps.app("web", WEB_APP), { health });
    const began = systemClock.monotonic();
    await until("ready");
    expect(systemClock.monotonic() - began).toBeLessThan(20_000);
  });

  test("an answer other than the expected is the reason", async () => {
    await start(apps.app("web", WEB_APP), { health: { ...HEALTH, status: 204 } });
    await expect.poll(() => now()?.reason, PATIENCE).toBe("GET /health answered 200, expected 204");
  });

  test("what a shell cannot find is a command that is not found, with the shell's words", async () => {
    await start(["/bin/sh", "-c", "exec no-such-command"]);
    const { code, reason } = await until("failed");
    expect(code).toBe("command-not-found");
    expect(reason).toMatch(/exit code 127; it said: .*no-such-command/);
  });

  test("a failed one can be started again", async () => {
    await start(["/nowhere"]);
    expect(now()?.state).toBe("failed");
    await start(apps.app("web", WEB_APP));
    await until("ready");
  });

  test("one that runs is left as it is, whatever the spec says", async () => {
    await start(apps.app("web", WEB_APP));
    const before = await until("ready");
    expect(await start(["/nowhere"])).toEqual(before);
  });
});

describe("ending by itself", () => {
  test("is answered by a start on the same port, with the reason in between", async () => {
    await start(apps.app("web", WEB_APP));
    const before = await until("ready");
    process.kill(before.pid ?? 0, "SIGKILL");
    await expect.poll(() => now()?.restarts, PATIENCE).toBe(1);
    const after = await until("ready");
    expect(after).toMatchObject({ address: before.address, code: null });
    expect(after.pid).not.toBe(before.pid);
    expect(states).toEqual(["starting", "ready", "backoff", "starting", "ready"]);
  });

  test("again and again is a crash loop, with exit code and last line; a stop ends it at once", async () => {
    await start(["/bin/sh", "-c", "echo so long; exit 7"]);
    const { code, reason } = await until("crash-loop");
    expect(code).toBe("crash-loop");
    expect(reason).toBe("it ended with exit code 7; it said: so long");
    await instances.stop([ID]);
    expect(instances.list()).toEqual([]);
  });

  test("takes what it left behind in its group with it", async () => {
    const report = await start(["/bin/sh", "-c", "sleep 61 & sleep 0.5; exit 1"]);
    const pid = report?.pid ?? 0;
    await expect.poll(() => groupOf(pid).length, PATIENCE).toBe(3);
    await until("backoff");
    expect(groupOf(pid)).toEqual([]);
  });
});

describe("stopping", () => {
  const STUBBORN = `${WEB_APP}\nprocess.on("SIGTERM", () => console.log("no"));`;

  test("gives the app its time to end in an orderly way", async () => {
    const orderly = `${WEB_APP}\nprocess.on("SIGTERM", () => setTimeout(() => process.exit(0), 300));`;
    await start(apps.app("web", orderly));
    await until("ready");
    const began = systemClock.monotonic();
    await instances.stop([ID]);
    const took = systemClock.monotonic() - began;
    expect(took).toBeGreaterThanOrEqual(290);
    expect(took).toBeLessThan(4_000);
    expect(states.slice(-2)).toEqual(["stopping", "stopped"]);
  });

  test("kills one that does not end in its time", async () => {
    await start(apps.app("web", STUBBORN), { stop: { signal: "SIGTERM", timeoutMs: 300 } });
    const { pid } = await until("ready");
    const began = systemClock.monotonic();
    await instances.stop([ID]);
    expect(systemClock.monotonic() - began).toBeGreaterThanOrEqual(290);
    expect(isAlive(pid ?? 0)).toBe(false);
  });

  test("ends the whole tree, also those that ignore the signal after their parent has gone", async () => {
    const tree = ["/bin/sh", "-c", "(trap '' TERM; while :; do sleep 0.1; done) & wait"];
    const report = await start(tree, { stop: { signal: "SIGTERM", timeoutMs: 300 } });
    const pid = report?.pid ?? 0;
    await expect.poll(() => groupOf(pid).length, PATIENCE).toBeGreaterThanOrEqual(2);
    const all = groupOf(pid);
    await instances.stop([ID]);
    expect(all.filter(isAlive)).toEqual([]);
  });

  test("sends the signal that was asked for, and wakes a stopped process for it", async () => {
    const app = `${WEB_APP}\nprocess.on("SIGQUIT", () => process.exit(0)); process.on("SIGTERM", () => undefined);`;
    await start(apps.app("web", app), { stop: { signal: "SIGQUIT", timeoutMs: 20_000 } });
    const { pid } = await until("ready");
    process.kill(pid ?? 0, "SIGSTOP");
    const began = systemClock.monotonic();
    await instances.stop([ID]);
    expect(systemClock.monotonic() - began).toBeLessThan(10_000);
  });

  test("twice at once waits for the same end, and a start after it begins anew", async () => {
    await start(apps.app("web", WEB_APP));
    const before = await until("ready");
    const [, , after] = await Promise.all([
      instances.stop([ID]),
      instances.stop([ID]),
      start(apps.app("web", WEB_APP)),
    ]);
    expect(isAlive(before.pid ?? 0)).toBe(false);
    expect(after?.pid).not.toBe(before.pid);
    await until("ready");
  });

  test("while it waits to be started again ends the wait", async () => {
    await start(["/bin/sh", "-c", "exit 1"]);
    await until("backoff");
    await instances.stop([ID]);
    expect(instances.list()).toEqual([]);
  });
});
