import * as fc from "fast-check";
import { expect, it } from "vitest";
import { FINE_BOUNDS_MS } from "../model/latency.ts";
import { NO_TRAFFIC } from "./counters.ts";
import { slowerThan } from "./latencies.ts";
import { atMost, referenceTo } from "./reference.ts";
import { latenciesOf, seeded } from "./testing.ts";

const quantiles = fc.constantFrom(0.5, 0.95, 0.99);
const values = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 100, maxLength: 300 });

it("property: is beyond `factor` times what was seen, and more requests sharpen it", () => {
  fc.assert(
    fc.property(quantiles, values, fc.constantFrom(1.5, 2, 3), (q, seen, factor) => {
      const reference = referenceTo(latenciesOf(seen), q, factor, 0.1);
      if (reference === null) return;
      const slower = seen.filter((ms) => ms * factor > reference).length;
      expect(slower / seen.length).toBeLessThanOrEqual(1 - q);
      expect(FINE_BOUNDS_MS).toContain(reference);
      const more = referenceTo(latenciesOf([seen, seen, seen, seen].flat()), q, factor, 0.1);
      expect(more ?? Infinity).toBeLessThanOrEqual(reference);
    }),
  );
});

const RELEASES = 1_000;

/** How often it is too low, of the worst that there is: hardly more than may be take 50 ms, all others 10. */
function missed(q: number, error: number): number {
  const random = seeded(5);
  let count = 0;
  for (let i = 0; i < RELEASES; i++) {
    const seen = Array.from({ length: 200 }, () => (random() < 1 - q + 1e-4 ? 50 : 10));
    if ((referenceTo(latenciesOf(seen), q, 2, error) ?? Infinity) < 100) count += 1;
  }
  return count;
}

it("is too low no more often than it says, by simulation", () => {
  for (const q of [0.5, 0.95]) {
    expect(missed(q, 0.05)).toBeLessThan(RELEASES * 0.05 + 3 * Math.sqrt(RELEASES * 0.05));
    // What may be missed more often is.
    expect(missed(q, 0.5)).toBeGreaterThan(RELEASES * 0.2);
  }
});

it("loses little to the grid: twice the p95 of 100,000 requests is at most 2.1 times it", () => {
  const even = (median: number) => Array.from({ length: 100_000 }, (_, i) => median * (0.5 + i / 100_000));
  for (const median of [1.1, 7, 23, 310]) {
    const times = (referenceTo(latenciesOf(even(median)), 0.95, 2, 1e-4) ?? Infinity) / (median * 1.45);
    expect(times).toBeLessThan(2.1);
    expect(times).toBeGreaterThanOrEqual(2);
  }
});

it("knows what it cannot say", () => {
  expect(referenceTo(NO_TRAFFIC, 0.5, 2, 0.001)).toBeNull();
  expect(referenceTo(latenciesOf(Array<number>(50).fill(10)), 0.95, 2, 0.001)).toBeNull();
  expect(referenceTo(latenciesOf(Array<number>(200).fill(40_000)), 0.95, 2, 0.001)).toBeNull();
  expect(referenceTo(latenciesOf(Array<number>(200).fill(1e9)), 0.95, 2, 0.001)).toBeNull();
});

it("counts on the coarse grid where that is all there is: 2x is at most 2.88x then", () => {
  const { latency } = latenciesOf(Array<number>(1_000).fill(10));
  const reference = referenceTo({ latency }, 0.95, 2, 1e-4) ?? Infinity;
  expect(reference).toBeGreaterThanOrEqual(20);
  expect(reference).toBeLessThan(28.8);
});

it("property: bounds the binomial's lower tail, closely", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.nat(400), quantiles, (n, k, q) => {
      const hits = Math.min(n, k);
      const p = 1 - q;
      let term = (1 - p) ** n;
      let exact = term;
      for (let y = 0; y < hits; y++) {
        term *= ((n - y) / (y + 1)) * (p / (1 - p));
        exact += term;
      }
      const bound = atMost(hits, n, p);
      expect(bound).toBeGreaterThanOrEqual(Math.min(1, exact) * (1 - 1e-9));
      if (exact < 0.001) expect(bound).toBeLessThan(exact * 1.25);
    }),
    { numRuns: 500 },
  );
});

it("stays a number up to 10^9 requests", () => {
  const { latency, fineLatency } = latenciesOf([...Array<number>(96).fill(10), ...Array<number>(4).fill(50)]);
  const all = (counts: readonly number[]): number[] => counts.map((count) => count * 1e7);
  const reference = referenceTo(
    { latency: all(latency), fineLatency: { ...fineLatency, counts: all(fineLatency.counts) } },
    0.95,
    2,
    1e-4,
  );
  expect(reference).toBeGreaterThanOrEqual(20);
  expect(reference).toBeLessThan(21);
  for (const k of [0, 1, 4e7, 5e7, 1e9]) expect(atMost(k, 1e9, 0.05)).toBeGreaterThanOrEqual(0);
});

it("counts as slower only what surely is", () => {
  const seen = latenciesOf([1, 10, 100, 100_000]);
  expect([0, 99, 50, FINE_BOUNDS_MS.at(-1) ?? 0].map((ms) => slowerThan(seen, ms))).toEqual([4, 1, 2, 1]);
});

it("takes the fine grid only when that knows of all requests", () => {
  const { latency, fineLatency } = latenciesOf([10, 11]);
  // 10 ms lie in a fine bucket up to 10.0 and a bit, and in a coarse one up to 11.1.
  expect(slowerThan({ latency, fineLatency }, 10.5)).toBe(1);
  expect(slowerThan({ latency }, 10.5)).toBe(0);
  expect(slowerThan({ latency, fineLatency: { ...fineLatency, counts: [1] } }, 10.5)).toBe(0);
});
