import { expect, test } from "vitest";
import { systemClock } from "../main/clock.ts";
import type { Milliseconds } from "../model/time.ts";
import { SharedReading } from "./shared-reading.ts";

test("those who ask together get one reading, begun after they asked", async () => {
  let readings = 0;
  const shared = new SharedReading(systemClock, () => {
    readings += 1;
    return readings;
  });
  const first = shared.fresh();
  expect(readings).toBe(0);
  expect(shared.fresh()).toBe(first);
  expect(await first).toBe(1);
  const second = shared.fresh();
  expect(readings).toBe(1);
  expect(await second).toBe(2);
});

test("a slow reading leaves nine times as long to other work; after a pause it is read at once", async () => {
  let now: Milliseconds = 1_000;
  const waits: Milliseconds[] = [];
  const clock = {
    now: () => now,
    monotonic: () => now,
    sleep: (ms: Milliseconds) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
  const shared = new SharedReading(clock, () => {
    now += 30;
  });
  await shared.fresh();
  await shared.fresh();
  now += 10_000;
  await shared.fresh();
  expect(waits).toEqual([0, 270, 0]);
});

test("a reading that fails fails for all who asked, and the next one is made", async () => {
  let fails = true;
  const shared = new SharedReading(systemClock, () => {
    if (fails) throw new Error("no /proc here");
    return "read";
  });
  const both = await Promise.allSettled([shared.fresh(), shared.fresh()]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  fails = false;
  expect(await shared.fresh()).toBe("read");
});
