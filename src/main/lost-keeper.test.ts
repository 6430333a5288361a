import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TealError } from "../model/error.ts";
import type { Clock } from "../model/time.ts";
import { LostKeeper } from "./lost-keeper.ts";

/** Monotonic; and until when it goes on by itself. */
const time = { elapsed: 0, until: 0 };
let isConnected = true;
let isAlone = true;
let hung: number | null = null;
/** When each keeper was started. */
let starts: number[] = [];
/** The keeper that each was told to come after as it hung. */
let hungBefore: (number | null)[] = [];
let ended: number[] = [];
let answered: number[] = [];
let problems: TealError[] = [];
/** What a start answers or throws. */
let starting: () => number | null = () => null;
let over: AbortController;
let running: Promise<void>;
let wake: (() => void) | null = null;

/** Time goes on with each sleep, as far as the test lets it. */
const clock: Clock = {
  now: () => time.elapsed,
  monotonic: () => time.elapsed,
  sleep: async (ms, signal) => {
    while (time.elapsed + ms > time.until) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
      signal?.throwIfAborted();
    }
    time.elapsed += ms;
    await turn();
  },
};

async function pass(ms: number): Promise<void> {
  time.until += ms;
  wake?.();
  while (time.elapsed + 250 <= time.until) await turn();
  await turn();
}

beforeEach(() => {
  [time.elapsed, time.until, isConnected, isAlone] = [0, 0, true, true];
  [starts, ended, answered, problems] = [[], [], [], []];
  [hung, hungBefore] = [null, []];
  starting = () => 1_000 + starts.length;
  over = new AbortController();
  const keeper = new LostKeeper({
    starter: {
      start: (afterHung) => {
        starts.push(time.elapsed);
        hungBefore.push(afterHung ?? null);
        return starting();
      },
      answered: (pid) => void answered.push(pid),
      ended: (pid) => {
        ended.push(pid);
        return Promise.resolve();
      },
    },
    isConnected: () => isConnected,
    isLeftAlone: () => Promise.resolve(isAlone),
    hung: () => hung,
    clock,
    log: () => undefined,
    report: (problem) => void problems.push(problem),
  });
  running = keeper.run(over.signal);
});
afterEach(async () => {
  over.abort();
  await running;
});

test("a keeper that is gone for a second and a half, with nobody who would start one, is started", async () => {
  await pass(10_000);
  expect(starts).toEqual([]);
  isConnected = false;
  await pass(1_500);
  expect(starts).toEqual([]);
  await pass(500);
  expect(starts).toEqual([11_750]);
  isAlone = false;
  isConnected = true;
  await pass(60_000);
  expect([starts.length, answered[0], problems]).toEqual([1, 1_001, []]);
});

test("one that comes back in time, or has somebody else to start it, is left to them", async () => {
  for (let times = 0; times < 20; times += 1) {
    isConnected = !isConnected;
    await pass(1_000);
  }
  isConnected = false;
  isAlone = false;
  await pass(600_000);
  expect(starts).toEqual([]);
  // The proxy dies later than the keeper.
  isAlone = true;
  await pass(1_500);
  expect(starts).toHaveLength(1);
});

test("what comes in place of one that hung is told of it", async () => {
  isConnected = false;
  await pass(1_750);
  hung = 4_711;
  await pass(1_000);
  expect(hungBefore).toEqual([null, 4_711]);
});

test("one that cannot run is started again after ever longer pauses, and told of each time", async () => {
  isConnected = false;
  await pass(180_000);
  const pauses = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  expect(ended).toHaveLength(starts.length - 1);
  expect(problems).toHaveLength(starts.length - 1);
  expect(problems[0]?.message).toContain("(process 1001) has ended; keeper.log says why; the next start is in 4 s");
  // The one after a keeper that was there begins with short pauses.
  isConnected = true;
  await pass(1_000);
  isConnected = false;
  const before = starts.length;
  await pass(4_000);
  expect(starts.length).toBe(before + 2);
});

test("a start that fails is told of, and tried again no sooner", async () => {
  starting = () => {
    throw new Error("no space left");
  };
  isConnected = false;
  await pass(20_000);
  expect(starts.length).toBe(5);
  expect(problems.map(({ message }) => message)).toEqual(Array.from({ length: 5 }, () => "no space left"));
});

test("a server that stops meanwhile starts nothing", async () => {
  isConnected = false;
  await pass(1_500);
  over.abort();
  await running;
  expect(starts).toEqual([]);
});
