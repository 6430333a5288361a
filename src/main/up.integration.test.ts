import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "./clock.ts";
import { down, type DownResult } from "./down.ts";
import type { Clock } from "../model/time.ts";
import { isAlive } from "../wire/process-stat.ts";
import { until } from "./keeper-client.ts";
import { keeperEnd } from "./keeper-end.ts";
import { hashOf } from "./runtime-version.ts";
import { up, type UpResult } from "./up.ts";

const WIRE = fileURLToPath(new URL("../wire", import.meta.url));

/** Stands in for the keeper and the server: speaks the keeper's protocol, answers /healthz, fails as MODE says. */
const KEEPER = `
import { createServer } from "node:http";
import { spawn } from "node:child_process";
import { appendFileSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PeerServer } from "${WIRE}/connect.ts";
import { KEEPER_PROTOCOL } from "${WIRE}/keeper.ts";
import { StatePaths } from "${WIRE}/paths.ts";
const launch = JSON.parse(process.argv[2]);
const paths = new StatePaths(launch.root);
const mode = process.env.MODE ?? "ok";
process.on("SIGHUP", () => {});
if (mode === "dies") { console.error("no room for a keeper"); process.exit(3); }
try { openSync(join(launch.root, "lock"), "wx"); } catch { console.error("locked"); process.exit(78); }
const server = { pid: null, restarts: 0, cannotRun: mode === "cannot-run" };
const listeners = [{ listen: "127.0.0.1:0", address: "127.0.0.1:1234" }];
const refuse = () => { throw new Error("not here"); };
const answering = await PeerServer.listen(paths.keeperSocket, KEEPER_PROTOCOL, {
  status: () => ({ pid: process.pid, runtime: launch.runtime, listeners, proxies: [], server }),
  "listeners.ensure": refuse, "instances.start": refuse, "instances.stop": refuse, "instances.list": refuse,
  down: ({ drainMs }) => {
    appendFileSync(join(launch.root, "down.log"), drainMs + "\\n");
    if (mode === "stuck") return new Promise(() => {});
    if (mode === "abrupt") process.exit(0);
    if (mode === "leaves") {
      rmSync(join(launch.root, "lock"));
      const env = { ...process.env, MODE: "ok" };
      const next = spawn(process.execPath, process.argv.slice(1), { env, detached: true, stdio: ["ignore", "ignore", "ignore", "ipc"] });
      next.once("message", () => process.exit(0));
      return new Promise(() => {});
    }
    setTimeout(() => process.exit(0), 50);
    return {};
  },
});
if (mode === "cannot-run") {
  const entry = { level: 60, time: "2026-01-01T00:00:00Z", code: "port-taken", remedy: "Free it.", problems: [], msg: "127.0.0.1:80 is taken" };
  appendFileSync(join(paths.logs, "server.log"), JSON.stringify(entry) + "\\n");
} else if (mode !== "no-api") {
  rmSync(paths.apiSocket, { force: true });
  const api = createServer((request, response) => {
    if (mode === "dying-server") api.close();
    response.setHeader("connection", mode === "dying-server" ? "close" : "keep-alive").end("{}");
  }).listen(paths.apiSocket);
}
if (process.send !== undefined) process.send("up", () => process.disconnect());
`;

let folder: string;
let config: string;
let bundles: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "teal-up-"));
  config = join(folder, "teal.yaml");
  bundles = join(folder, "bundles");
  await mkdir(bundles);
  await release("");
});
afterEach(async () => {
  for (const pid of ours()) process.kill(pid, "SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Puts another version of the bundles into the package. */
async function release(comment: string): Promise<void> {
  await writeFile(join(bundles, "keeper.mjs"), KEEPER + comment);
  const hash = await hashOf(bundles, ["keeper.mjs"]);
  const version = { version: `1.0.0-${hash.slice(0, 8)}`, hash, files: ["keeper.mjs"] };
  await writeFile(join(bundles, "VERSION.json"), JSON.stringify(version));
}

async function start(
  mode = "ok",
  deadlineMs = 20_000,
  signal = new AbortController().signal,
  starter?: number,
  clock = systemClock,
): Promise<UpResult> {
  const env = { ...process.env, MODE: mode };
  return up({
    config,
    bundles,
    env,
    clock,
    deadlineMs,
    signal,
    say: () => undefined,
    consent,
    force: false,
    ...(starter === undefined ? {} : { starter }),
  });
}

const consent = (): Promise<boolean> => Promise.resolve(false);

function stop(drainMs = 1_234, stopMs = 0, signal = new AbortController().signal): Promise<DownResult> {
  return down({ config, drainMs, stopMs, clock: systemClock, signal, say: () => undefined });
}

/** Processes that run for this test's state directory. */
function ours(): number[] {
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => isAlive(pid) && commandOf(pid).includes(`${folder}/.teal`));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

describe("up", () => {
  it("starts the keeper apart from this process, privately, and returns when the API answers", async () => {
    const result = await start();
    expect(result).toMatchObject({ already: false, listeners: [{ address: "127.0.0.1:1234" }] });
    expect(result.runtime).toBe(result.packageRuntime);
    expect((await stat(join(folder, ".teal"))).mode & 0o777).toBe(0o711);
    expect(await readFile(join(folder, ".teal/.gitignore"), "utf8")).toBe("*\n");
    const fields = (await readFile(`/proc/${String(result.pid)}/stat`, "latin1")).split(") ")[1]?.split(" ");
    // proc(5): after the state come ppid, process group and session; the keeper leads its own.
    expect(fields?.slice(2, 4)).toEqual([String(result.pid), String(result.pid)]);
  });

  it("leaves one that runs as it is, and tells when it is of another version", async () => {
    const first = await start();
    await release("// newer");
    const second = await start();
    expect(second).toMatchObject({ already: true, pid: first.pid, runtime: first.runtime });
    expect(second.packageRuntime).not.toBe(first.runtime);
  });

  it("started twice at once, starts one keeper, which both return", async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.pid).toBe(other.pid);
    expect(one.already).not.toBe(other.already);
    // The one that came second ends by itself.
    expect(await until(() => ours().length === 1, 5_000, systemClock)).toBe(true);
    expect(ours()).toEqual([one.pid]);
  });

  it("for one that another process starts waits, and starts nothing, as long as that one is there", async () => {
    const waiting = start("ok", 20_000, undefined, process.pid);
    const first = await start();
    expect(await waiting).toMatchObject({ already: true, pid: first.pid });
    await stop();
    const gone = 4_194_304; // Above the highest pid that the kernel gives: proc_sys_kernel(5), pid_max.
    await expect(start("ok", 20_000, undefined, gone)).rejects.toThrow("has ended and has started nothing");
    expect(ours()).toEqual([]);
  });

  it("gives up one that lives and starts nothing", async () => {
    // Two minutes of the wait pass at each look at the time.
    let minutes = 0;
    const clock = { ...systemClock, monotonic: () => (minutes += 2) * 60_000 };
    const waiting = start("ok", 20_000, undefined, process.pid, clock);
    await expect(waiting).rejects.toMatchObject({
      code: "deadline-passed",
      message: expect.stringMatching("has started no keeper") as string,
    });
    expect(ours()).toEqual([]);
  });

  it("tells the last words of a keeper that ends at its start", async () => {
    await expect(start("dies")).rejects.toThrow(
      /the keeper ended at its start\nkeeper\.log:\n {2}no room for a keeper/,
    );
  });

  it("fails with the server's own reason at once when the server cannot run, and stops what it started", async () => {
    const began = performance.now();
    await expect(start("cannot-run")).rejects.toMatchObject({
      code: "port-taken",
      message: "127.0.0.1:80 is taken",
      remedy: "Free it.",
    });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await readFile(join(folder, ".teal/down.log"), "utf8")).toBe("0\n");
    expect(await stop()).toEqual({ stopped: false });
    expect(ours()).toEqual([]);
  });

  it("fails after its deadline when the API does not come, and stops what it started", async () => {
    await expect(start("no-api", 300)).rejects.toMatchObject({ code: "deadline-passed" });
    expect(await stop()).toEqual({ stopped: false });
    expect(ours()).toEqual([]);
  });

  it("goes on with the next keeper when the one that it waits for is killed", async () => {
    const first = await startWithoutApi();
    const events = [
      async () => {
        process.kill(first, "SIGKILL");
        await until(() => !isAlive(first), 20_000, systemClock);
        await rm(join(folder, ".teal/lock"));
      },
      // None answers now.
      async () => {
        await start();
      },
    ];
    // What happens while it waits; no time passes for it.
    const sleep: Clock["sleep"] = async (ms, signal) => (events.shift() ?? (() => systemClock.sleep(ms, signal)))();
    const result = await start("ok", 20_000, undefined, undefined, { ...systemClock, monotonic: () => 0, sleep });
    expect(events).toEqual([]);
    expect(result).toMatchObject({ already: true, pid: ours()[0] });
    expect(result.pid).not.toBe(first);
  });

  it("says that Teal was taken down when nothing is left that would start a keeper", async () => {
    const first = await startWithoutApi();
    let stopped: Promise<DownResult> | null = null;
    const sleep: Clock["sleep"] = async (ms, signal) => {
      await (stopped ??= stop(0));
      await systemClock.sleep(ms, signal);
    };
    const waiting = start("ok", 20_000, undefined, undefined, { ...systemClock, sleep });
    await expect(waiting).rejects.toMatchObject({ code: "keeper-down", message: "Teal has been taken down meanwhile" });
    expect([isAlive(first), ours()]).toEqual([false, []]);
  });

  it("stops what it started when a person does not want it any more", async () => {
    const stopping = new AbortController();
    const starting = start("no-api", 20_000, stopping.signal);
    setTimeout(() => {
      stopping.abort(new Error("enough"));
    }, 500);
    await expect(starting).rejects.toThrow("enough");
    expect(await stop()).toEqual({ stopped: false });
  });
});

describe("down", () => {
  it("says that nothing runs", async () => {
    expect(await stop()).toEqual({ stopped: false });
  });

  it.each(["ok", "abrupt", "dead server"])("ends a keeper (%s) with the drain asked for", async (mode) => {
    const child = mode === "dead server" ? await startWithoutApi() : (await start(mode)).pid;
    expect(await stop(1_234)).toEqual({ stopped: true });
    expect(isAlive(child)).toBe(false);
    expect(await readFile(join(folder, ".teal/down.log"), "utf8")).toBe("1234\n");
  });

  it("ends also the keeper to which the one that it had asked has left", async () => {
    const { pid } = await start("leaves");
    expect(await stop(1_234)).toEqual({ stopped: true });
    expect([isAlive(pid), ours()]).toEqual([false, []]);
    expect(await readFile(join(folder, ".teal/down.log"), "utf8")).toBe("1234\n1234\n");
  });

  it("can be left while the keeper goes on stopping", async () => {
    await start("stuck");
    const leaving = new AbortController();
    const stopping = stop(0, 0, leaving.signal);
    setTimeout(() => {
      leaving.abort(new Error("enough"));
    }, 200);
    await expect(stopping).rejects.toThrow("enough");
  });
});

describe("keeperEnd", () => {
  it.each(["stopped", "died"])("resolves when the keeper has %s and no new one comes", async (how) => {
    await start();
    // What a keeper leaves that was not told to stop.
    if (how === "died") await writeFile(join(folder, ".teal/keeper.json"), "{}");
    const ended = keeperEnd(config, systemClock, new AbortController().signal);
    expect(await Promise.race([ended, systemClock.sleep(200).then(() => "runs")])).toBe("runs");
    await stop(0);
    expect(await ended).toBe(how);
  });
});

/** A keeper whose server is dead: `down` must work without the API. */
async function startWithoutApi(): Promise<number> {
  return (await start("dying-server")).pid;
}
