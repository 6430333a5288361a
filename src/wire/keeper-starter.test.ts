import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type KeeperProgram, KeeperStarter, type KeeperStarterOptions } from "./keeper-starter.ts";
import { isAlive } from "./process-stat.ts";

let folder: string;
let elapsed = 0;
let lines: string[] = [];
const pids: number[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-starter-"));
  elapsed = 0;
  lines = [];
});
afterEach(async () => {
  for (const pid of pids.splice(0)) await end(pid);
  rmSync(folder, { recursive: true });
});

async function end(pid: number): Promise<void> {
  if (isAlive(pid)) process.kill(pid, "SIGKILL");
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
}

/** A keeper in so far as it is started like one. */
function program(name: string, body: string): KeeperProgram {
  const file = join(folder, name, "keeper.mjs");
  mkdirSync(dirname(file));
  writeFileSync(file, body);
  return { runtime: dirname(file), node: process.execPath, file };
}

const RUNS = "setInterval(() => undefined, 1000);";

function starter(first: KeeperProgram, ...more: KeeperProgram[]): KeeperStarter {
  return starterOf([first, ...more], (spawn) => spawn({ stdio: "ignore" }));
}

function starterOf(
  programs: readonly [KeeperProgram, ...KeeperProgram[]],
  spawning: KeeperStarterOptions["spawning"],
): KeeperStarter {
  return new KeeperStarter({
    launch: () => ({ root: folder, config: "", inherited: [] }),
    programs: () => programs,
    spawning,
    clock: { now: () => elapsed, monotonic: () => elapsed, sleep: () => Promise.reject(new Error("nobody sleeps")) },
    log: (line) => void lines.push(line),
  });
}

function start(from: KeeperStarter, afterHung?: number): number {
  const pid = from.start(afterHung);
  if (pid === null) throw new Error(lines.join("\n"));
  pids.push(pid);
  return pid;
}

/** The folder that a process was started from, once it has its own command line. */
async function runtimeOf(pid: number): Promise<string> {
  const read = (): string => readFileSync(`/proc/${String(pid)}/cmdline`, "utf8");
  await expect.poll(read, { timeout: 20_000 }).toContain("keeper.mjs");
  return dirname(
    read()
      .split("\0")
      .find((word) => word.endsWith("keeper.mjs")) ?? "",
  );
}

test("one that ends before it has answered is followed by one from the next program, and counted", async () => {
  const [own, before] = [program("own", "process.exit(78);"), program("before", RUNS)];
  const keepers = starter(own, before);
  const first = start(keepers);
  await expect.poll(() => isAlive(first), { timeout: 20_000 }).toBe(false);
  await keepers.ended(first, false);
  expect(keepers.vain).toBe(1);
  expect(await runtimeOf(start(keepers))).toBe(before.runtime);
  expect(lines).toEqual([`the last keeper did not come up; starting one from ${before.runtime}`]);
});

test("one that was killed before it has answered says nothing of its program", async () => {
  const [own, before] = [program("own", RUNS), program("before", RUNS)];
  const keepers = starter(own, before);
  const first = start(keepers);
  await end(first);
  await keepers.ended(first, false);
  expect(await runtimeOf(start(keepers))).toBe(own.runtime);
});

test.each([
  ["soon after its start", 25_000, "before"],
  ["long after its start", 70_000, "own"],
])("one that has answered and hangs %s", async (_when, afterMs, next) => {
  const keepers = starter(program("own", RUNS), program("before", RUNS));
  const first = start(keepers);
  keepers.answered(first);
  elapsed += afterMs;
  await end(first);
  await keepers.ended(first, true);
  const second = start(keepers, first);
  expect(await runtimeOf(second)).toBe(join(folder, next));
  expect(readFileSync(`/proc/${String(second)}/cmdline`, "utf8")).toContain(`"afterHung":${String(first)}`);
});

test("one that stays silent is ended where there is another program to try, and only there", async () => {
  const [own, before] = [program("own", RUNS), program("before", RUNS)];
  for (const isEnded of [false, true]) {
    const keepers = isEnded ? starter(own, before) : starter(own);
    const pid = start(keepers);
    keepers.endSilent();
    elapsed += 21_000;
    keepers.endSilent();
    if (isEnded) await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
    expect(isAlive(pid)).toBe(!isEnded);
    expect(keepers.vain).toBe(isEnded ? 1 : 0);
  }
});

test("another keeper that answers makes what was in vain forgotten", async () => {
  const keepers = starter(program("own", "process.exit(78);"));
  const first = start(keepers);
  await expect.poll(() => isAlive(first), { timeout: 20_000 }).toBe(false);
  await keepers.ended(first, false);
  keepers.answered(process.pid);
  expect(keepers.vain).toBe(0);
});

test("what the machine refuses by throwing is told, and may be tried again", () => {
  let isShort = true;
  const from = starterOf([program("one", RUNS)], (spawn) => {
    if (isShort) throw new Error("spawn ENOMEM");
    return spawn({ stdio: "ignore" });
  });
  expect(from.start()).toBeNull();
  expect(lines).toEqual(["no keeper could be started: spawn ENOMEM"]);
  isShort = false;
  start(from);
});
