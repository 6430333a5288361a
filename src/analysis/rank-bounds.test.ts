import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankBounds } from "./rank-bounds.ts";

/** P(Binomial(n, p) ≤ k), summed in logarithms: slow, exact, and computed in another way. */
function binomialAtMost(n: number, p: number, k: number): number {
  let logMass = n * Math.log1p(-p);
  let sum = 0;
  for (let y = 0; y <= k; y++) {
    if (y > 0) logMass += Math.log(((n - y + 1) / y) * (p / (1 - p)));
    sum += Math.exp(logMass);
  }
  return sum;
}

const quantiles = fc.constantFrom(0.5, 0.95, 0.99);

describe("ranks that bound a quantile", () => {
  it("property: each is missed at most once in a thousand, and the next rank would be missed more often", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), quantiles, (n, q) => {
        const { lower, upper } = rankBounds(n, q);
        // Values at or below the true quantile: Binomial(n, q). The r-th value exceeds it when fewer than r are.
        const exceeds = (rank: number): number => binomialAtMost(n, q, rank - 1);
        const misses = (rank: number): number => 1 - binomialAtMost(n, q, rank - 1);
        expect(exceeds(lower ?? 0)).toBeLessThanOrEqual(0.001 + 1e-12);
        expect(exceeds((lower ?? 0) + 1)).toBeGreaterThan(0.001 - 1e-12);
        expect(upper === null ? 0 : misses(upper)).toBeLessThanOrEqual(0.001 + 1e-9);
        expect(misses((upper ?? n + 1) - 1)).toBeGreaterThan(0.001 - 1e-9);
      }),
      { numRuns: 300 },
    );
  });

  it("property: where it approximates it is off by a rank or two", () => {
    fc.assert(
      fc.property(fc.integer({ min: 402, max: 1_000 }), (n) => {
        const { lower, upper } = rankBounds(n, 0.5);
        expect(lower).not.toBeNull();
        expect(binomialAtMost(n, 0.5, (lower ?? 0) - 3)).toBeLessThanOrEqual(0.001);
        expect(1 - binomialAtMost(n, 0.5, (upper ?? 0) + 1)).toBeLessThanOrEqual(0.001);
        expect((upper ?? 0) - (lower ?? 0)).toBeLessThan(6.4 * Math.sqrt(n / 4) + 4);
      }),
      { numRuns: 50 },
    );
  });

  it("knows what so few values cannot say", () => {
    expect(rankBounds(5, 0.5)).toEqual({ lower: null, upper: null });
    // 0.95^134 > 0.001 ≥ 0.95^135: the largest of 135 values is the first that bounds p95 from above.
    expect(rankBounds(134, 0.95).upper).toBeNull();
    expect(rankBounds(135, 0.95).upper).toBe(135);
    expect(rankBounds(1_000_000, 0.95).lower).toBeGreaterThan(949_000);
  });
});
