import { expect, test } from "vitest";
import { RestartPolicy } from "./restart-policy.ts";

/** Restarts for exits at these monotonic times. */
const exits = (policy: RestartPolicy, ...times: number[]) => times.map((time) => policy.exited(time));

test("exits far apart back off from 100 ms, doubling to 5 s, while it was ready once", () => {
  const policy = new RestartPolicy();
  policy.ready(0);
  const times = [1, 2, 3, 4, 5, 6, 7, 8].map((minute) => minute * 31_000 - 30_000);
  const waits: number[] = [];
  for (const time of times) {
    // Ready for less than 10 s each time, so nothing is forgotten.
    policy.ready(time - 1_000);
    waits.push(policy.exited(time).waitMs);
  }
  expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
});

test("three exits within 60 s are a crash loop, two are not", () => {
  const policy = new RestartPolicy();
  policy.ready(0);
  expect(exits(policy, 1_000, 30_000, 60_999).map(({ loop }) => loop)).toEqual([false, false, true]);
  const slower = new RestartPolicy();
  slower.ready(0);
  expect(exits(slower, 1_000, 30_000, 61_000).map(({ loop }) => loop)).toEqual([false, false, false]);
});

test("five exits before it was ever ready are one, however slow", () => {
  const policy = new RestartPolicy();
  const minutes = [1, 2, 3, 4, 5].map((minute) => minute * 60_000);
  expect(exits(policy, ...minutes).map(({ loop }) => loop)).toEqual([false, false, false, false, true]);
});

test("a crash loop is tried after 10 s, doubling to 60 s, and stays one until it was healthy for 10 s", () => {
  const policy = new RestartPolicy();
  exits(policy, 0, 1);
  expect(exits(policy, 2, 100_000, 200_000, 300_000, 400_000).map(({ waitMs }) => waitMs)).toEqual([
    10_000, 20_000, 40_000, 60_000, 60_000,
  ]);
  policy.ready(500_000);
  expect(policy.exited(509_999).loop).toBe(true);
  policy.ready(600_000);
  expect(policy.exited(610_000)).toEqual({ waitMs: 100, loop: false });
});
