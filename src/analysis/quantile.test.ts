import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LATENCY_BOUNDS_MS } from "../model/latency.ts";
import { NO_TRAFFIC } from "./counters.ts";
import { quantile } from "./quantile.ts";
import { latenciesOf } from "./testing.ts";

const latency = fc.oneof(fc.double({ min: 0, max: 60_000, noNaN: true }), fc.constantFrom(...LATENCY_BOUNDS_MS));
const share = fc.double({ min: 0.001, max: 1, noNaN: true });

describe("quantiles of a latency histogram", () => {
  it("says nothing of an empty one", () => {
    expect(quantile(NO_TRAFFIC, 0.95)).toBeNull();
    expect(quantile({ latency: [] }, 0.5)).toBeNull();
  });

  it("property: the exact nearest-rank quantile lies in the bucket it names, and the estimate too", () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 200 }), share, (latencies, q) => {
        const sorted = latencies.toSorted((a, b) => a - b);
        const exact = sorted[Math.min(sorted.length, Math.max(1, Math.ceil(q * sorted.length))) - 1] ?? Number.NaN;
        const found = quantile(latenciesOf(latencies), q);
        expect(found).not.toBeNull();
        if (found === null) return;
        expect(exact).toBeLessThanOrEqual(found.upper);
        expect(found.lower === 0 || exact > found.lower).toBe(true);
        expect(found.estimate).toBeGreaterThanOrEqual(found.lower);
        expect(found.estimate).toBeLessThanOrEqual(found.upper);
        const width = found.upper / found.lower;
        expect(!Number.isFinite(width) || Math.abs(width - 1.2 ** (1 / 6)) < 1e-9).toBe(true);
        const { latency } = latenciesOf(latencies);
        const coarse = quantile({ latency }, q);
        expect(coarse?.lower).toBeLessThanOrEqual(found.lower);
        expect(coarse?.upper).toBeGreaterThanOrEqual(found.upper);
      }),
      { numRuns: 500 },
    );
  });

  it("property: a larger q, or one more slow request, never lowers it", () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1 }), share, share, (latencies, a, b) => {
        const at = (values: readonly number[], q: number): number =>
          quantile(latenciesOf(values), q)?.estimate ?? Number.NaN;
        expect(at(latencies, Math.max(a, b))).toBeGreaterThanOrEqual(at(latencies, Math.min(a, b)));
        expect(at([...latencies, 60_000], a)).toBeGreaterThanOrEqual(at(latencies, a) - 1e-9);
      }),
    );
  });

  it("is beyond all bounds for what is slower than they reach", () => {
    expect(quantile(latenciesOf([100_000]), 0.5)).toEqual({
      lower: LATENCY_BOUNDS_MS.at(-1),
      upper: Number.POSITIVE_INFINITY,
      estimate: LATENCY_BOUNDS_MS.at(-1),
    });
  });
});
