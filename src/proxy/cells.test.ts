import { expect, test } from "vitest";
import { LATENCY_BOUNDS_MS } from "../model/traffic.ts";
import { add, COUNTER, latencyBucket, readCounters, sharedNumbers } from "./cells.ts";

test("a latency falls into the first bucket whose bound it does not pass", () => {
  const expected = (ms: number): number => {
    const found = LATENCY_BOUNDS_MS.findIndex((bound) => ms <= bound);
    return found === -1 ? LATENCY_BOUNDS_MS.length : found;
  };
  for (const ms of [0, 0.5, 0.50001, 1, 17.3, 999, ...LATENCY_BOUNDS_MS, 1e9])
    expect(latencyBucket(ms)).toBe(expected(ms));
});

test("the workers' rows are added up exactly", () => {
  const cell = sharedNumbers(3 * COUNTER.length);
  for (let worker = 0; worker < 3; worker += 1) {
    const row = cell.subarray(worker * COUNTER.length, (worker + 1) * COUNTER.length);
    add(row, COUNTER.requests, 10 + worker);
    add(row, COUNTER.classes + 4, worker);
    add(row, COUNTER.latency + LATENCY_BOUNDS_MS.length, 1);
  }
  const read = readCounters(cell);
  expect(read.requests).toBe(33);
  expect(read.classes).toEqual([0, 0, 0, 0, 3]);
  expect(read.latency).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
  expect(read.latency.at(-1)).toBe(3);
});
