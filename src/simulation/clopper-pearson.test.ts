import { expect, it } from "vitest";
import { atLeast, lowerBound, upperBound } from "./clopper-pearson.ts";

it("bounds a share from below", () => {
  expect(lowerBound(0, 10_000, 0.01)).toBe(0);
  // One of n: 1 - (1 - p)^n = 0.01
  expect(lowerBound(1, 100, 0.01)).toBeCloseTo(1 - 0.99 ** (1 / 100), 9);
  expect(lowerBound(20, 10_000, 0.01)).toBeGreaterThan(0.001);
  expect(lowerBound(18, 10_000, 0.01)).toBeLessThan(0.0011);
  expect(atLeast(0, 10, 0.5)).toBe(1);
});

it("bounds a share from above", () => {
  // None of n: (1 - p)^n = 0.05, which is 3 / n for those in a hurry.
  expect(upperBound(0, 300, 0.05)).toBeCloseTo(1 - 0.05 ** (1 / 300), 9);
  expect(upperBound(300, 300, 0.05)).toBe(1);
  expect(upperBound(299, 300, 0.05)).toBeCloseTo(1 - lowerBound(1, 300, 0.05), 9);
  expect(upperBound(1_000, 2_000, 0.05)).toBeCloseTo(0.5186, 3);
});
