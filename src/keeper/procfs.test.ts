import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { familyOf, groupOf } from "./family.ts";
import { allProcesses, describeProcess, readEnvironment, zombiesOf } from "./procfs.ts";
import { readStat } from "../wire/process-stat.ts";

test("this process is found, with its parent and its environment", () => {
  expect(readStat(process.pid)).toMatchObject({ pid: process.pid, parent: process.ppid });
  expect(readStat(process.pid)?.startTicks).toBeGreaterThan(0);
  expect(allProcesses().map(({ pid }) => pid)).toContain(process.pid);
  expect(describeProcess(process.pid)).toMatch(/^pid \d+ \(.+\)$/);
});

test("what has ended is not there, also while its zombie is", async () => {
  const child = spawn("sleep", ["60"], { detached: true, env: { NAMED: "x=y" } });
  const pid = child.pid ?? 0;
  const grandchildren = familyOf(process.pid);
  expect(grandchildren.has(pid)).toBe(true);
  expect(groupOf(pid)).toEqual([pid]);
  await expect.poll(() => readEnvironment(pid)).toEqual({ NAMED: "x=y" });
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  expect(readStat(pid)).toBeNull();
  expect(readEnvironment(pid)).toBeNull();
  expect(groupOf(pid)).toEqual([]);
});

test("zombies are told of the parent that does not reap them", async () => {
  // The shell becomes a program that knows nothing of its child.
  const parent = spawn("sh", ["-c", "sleep 0 & exec sleep 60"]);
  const pid = parent.pid ?? 0;
  await expect.poll(() => zombiesOf(pid), { timeout: 9_000 }).toHaveLength(1);
  expect(zombiesOf(pid).map(readStat)).toEqual([null]);
  const ended = once(parent, "exit");
  parent.kill("SIGKILL");
  await ended;
  expect(zombiesOf(pid)).toEqual([]);
});

test("descendants are of the family whatever group they are in, and in whatever order they are listed", () => {
  const process = (pid: number, parent: number, group: number) => ({
    pid,
    parent,
    group,
    session: group,
    startTicks: 0,
    state: "S",
    cpuTicks: 0,
  });
  const all = [process(30, 20, 30), process(20, 10, 20), process(10, 1, 10), process(11, 1, 10), process(40, 1, 40)];
  expect([...familyOf(10, all)].toSorted((a, b) => a - b)).toEqual([10, 11, 20, 30]);
});
