import { expect, it } from "vitest";
import { atLeast, lowerBound } from "./clopper-pearson.ts";

it("bounds a share from below", () => {
  expect(lowerBound(0, 10_000, 0.01)).toBe(0);
  // One of n: 1 - (1 - p)^n = 0.01
  expect(lowerBound(1, 100, 0.01)).toBeCloseTo(1 - 0.99 ** (1 / 100), 9);
  expect(lowerBound(20, 10_000, 0.01)).toBeGreaterThan(0.001);
  expect(lowerBound(18, 10_000, 0.01)).toBeLessThan(0.0011);
  expect(atLeast(0, 10, 0.5)).toBe(1);
});
