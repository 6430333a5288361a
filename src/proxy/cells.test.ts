import { expect, test } from "vitest";
import { FINE_BOUNDS_MS, LATENCY_BOUNDS_MS } from "../model/latency.ts";
import { add, COUNTER, readCounters, sharedNumbers } from "./cells.ts";

test("the workers' rows are added up exactly", () => {
  const cell = sharedNumbers(3 * COUNTER.length);
  for (let worker = 0; worker < 3; worker += 1) {
    const row = cell.subarray(worker * COUNTER.length, (worker + 1) * COUNTER.length);
    add(row, COUNTER.requests, 10 + worker);
    add(row, COUNTER.classes + 4, worker);
    add(row, COUNTER.latency + FINE_BOUNDS_MS.length, 1);
  }
  const read = readCounters(cell);
  expect(read.requests).toBe(33);
  expect(read.classes).toEqual([0, 0, 0, 0, 3]);
  expect(read.latency).toHaveLength(LATENCY_BOUNDS_MS.length + 1);
  expect(read.latency.at(-1)).toBe(3);
  expect(read.fineLatency).toEqual({ from: FINE_BOUNDS_MS.length, counts: [3] });
});
