import * as fc from "fast-check";
import { expect, it } from "vitest";
import { LATENCY_BOUNDS_MS } from "../model/traffic.ts";
import { NO_TRAFFIC } from "./counters.ts";
import { bucketOf, quantile } from "./quantile.ts";
import { highestQuantile, slowerThan } from "./reference.ts";
import { seeded } from "./testing.ts";

const histogramOf = (values: readonly number[]): number[] => {
  const histogram = [...NO_TRAFFIC.latency];
  for (const ms of values) histogram[bucketOf(ms)] = (histogram[bucketOf(ms)] ?? 0) + 1;
  return histogram;
};

it("property: a quantile is never above the most that it can be, and more values bring that down", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0.5, 0.95, 0.99),
      fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1 }),
      (q, values) => {
        const histogram = histogramOf(values);
        const most = highestQuantile(histogram, q, 0.001);
        if (most === null) return;
        expect(most).toBeGreaterThanOrEqual(quantile(histogram, q)?.estimate ?? 0);
        const hundredfold = histogram.map((count) => count * 100);
        expect(highestQuantile(hundredfold, q, 0.001)).toBeLessThanOrEqual(most);
      },
    ),
  );
});

it("is missed no more often than it says, by simulation", () => {
  const random = seeded(5);
  let missed = 0;
  for (let i = 0; i < 2_000; i++) {
    const histogram = histogramOf(Array.from({ length: 200 }, () => 10 + 90 * random()));
    // Half a bucket of slack, as values are taken as evenly spread within one.
    if ((highestQuantile(histogram, 0.5, 0.05) ?? Infinity) < 55 / 1.1) missed += 1;
  }
  expect(missed).toBeLessThan(2_000 * 0.05);
});

it("knows what so few values cannot say", () => {
  expect(highestQuantile(NO_TRAFFIC.latency, 0.5, 0.001)).toBeNull();
  // log 1000 / log (1 / 0.95) = 134.7: the largest of 135 values is the first that bounds p95 from above.
  expect(highestQuantile(histogramOf(Array.from({ length: 134 }, () => 5)), 0.95, 0.001)).toBeNull();
  expect(highestQuantile(histogramOf(Array.from({ length: 135 }, () => 5)), 0.95, 0.001)).not.toBeNull();
});

it("counts as slower only what surely is", () => {
  const histogram = histogramOf([1, 10, 100, 100_000]);
  expect(slowerThan(histogram, 0)).toBe(4);
  expect(slowerThan(histogram, 99)).toBe(1);
  expect(slowerThan(histogram, 50)).toBe(2);
  expect(slowerThan(histogram, LATENCY_BOUNDS_MS.at(-1) ?? 0)).toBe(1);
});
