import { expect, it } from "vitest";
import { exactSprt, waldBound } from "./sprt.ts";

it("needs as many failures as make chance rare enough, where every request fails", () => {
  // 0.05^2 > 0.001 ≥ 0.05^3
  const { mean, alpha } = exactSprt(0.05, 1, 0.001);
  expect(mean).toBeCloseTo(3, 9);
  expect(alpha).toBeCloseTo(0.05 ** 3, 12);
});

it("spends its α, and needs a little more than Wald's bound", () => {
  const { mean, alpha } = exactSprt(0.05, 0.2, 0.001);
  expect(alpha).toBeLessThanOrEqual(0.001);
  expect(alpha).toBeGreaterThan(0.00098);
  expect(mean).toBeGreaterThan(waldBound(0.05, 0.2, 0.001) * 0.98);
  expect(mean).toBeLessThan(waldBound(0.05, 0.2, 0.001) * 1.05);
});
