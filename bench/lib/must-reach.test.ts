import { expect, test } from "vitest";
import { missed } from "./must-reach.ts";

test("what is over its limit, or no number, is missed; what was not measured is not", () => {
  const limits = { lost: 0, p99Ms: 20 };
  expect(missed(limits, { lost: 0, p99Ms: 20 })).toEqual([]);
  expect(missed(limits, { lost: 0, p99Ms: null })).toEqual([]);
  expect(missed(limits, { lost: 1, p99Ms: 20.1 })).toEqual([
    "lost is 1; the limit is 0",
    "p99Ms is 20.1; the limit is 20",
  ]);
  expect(missed(limits, { lost: 0, p99Ms: Number.NaN })).toHaveLength(1);
  expect(missed(limits, { lost: 0, p99Ms: Number.POSITIVE_INFINITY })).toHaveLength(1);
});
