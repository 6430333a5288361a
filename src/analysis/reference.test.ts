import * as fc from "fast-check";
import { expect, it } from "vitest";
import { LATENCY_BOUNDS_MS } from "../model/traffic.ts";
import { NO_TRAFFIC } from "./counters.ts";
import { bucketOf } from "./quantile.ts";
import { referenceTo, slowerThan } from "./reference.ts";
import { seeded } from "./testing.ts";

const histogramOf = (values: readonly number[]): number[] => {
  const histogram = [...NO_TRAFFIC.latency];
  for (const ms of values) histogram[bucketOf(ms)] = (histogram[bucketOf(ms)] ?? 0) + 1;
  return histogram;
};
const quantiles = fc.constantFrom(0.5, 0.95, 0.99);
const latencies = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1 });

it("property: what is `factor` times as slow is within the reference, and more requests sharpen it", () => {
  fc.assert(
    fc.property(quantiles, latencies, fc.constantFrom(1.5, 2, 3), (q, values, factor) => {
      const histogram = histogramOf(values);
      const reference = referenceTo(histogram, q, factor, 0.001);
      if (reference === null) return;
      const slower = histogramOf(values.map((ms) => ms * factor));
      expect(slowerThan(slower, reference.ms) / values.length).toBeLessThanOrEqual(reference.limit);
      expect(reference.limit).toBeGreaterThanOrEqual(1 - q);
      const more = referenceTo(
        histogram.map((count) => count * 100),
        q,
        factor,
        0.001,
      );
      expect(more?.ms).toBe(reference.ms);
      expect(more?.limit).toBeLessThanOrEqual(reference.limit);
    }),
  );
});

it("is missed no more often than it says, by simulation", () => {
  const random = seeded(5);
  let missed = 0;
  for (let i = 0; i < 2_000; i++) {
    const reference = referenceTo(histogramOf(Array.from({ length: 200 }, () => 10 + 90 * random())), 0.5, 2, 0.05);
    // Of twice as slow a release, uniform from 20 to 200 ms, so many are slower.
    if (reference !== null && (200 - reference.ms) / 180 > reference.limit) missed += 1;
  }
  expect(missed).toBeLessThan(2_000 * 0.05);
});

it("knows what it cannot say", () => {
  expect(referenceTo(NO_TRAFFIC.latency, 0.5, 2, 0.001)).toBeNull();
  expect(referenceTo(histogramOf([40_000]), 0.5, 2, 0.001)).toBeNull();
  expect(referenceTo(histogramOf([1e9]), 0.5, 2, 0.001)).toBeNull();
});

it("counts as slower only what surely is", () => {
  const histogram = histogramOf([1, 10, 100, 100_000]);
  expect(slowerThan(histogram, 0)).toBe(4);
  expect(slowerThan(histogram, 99)).toBe(1);
  expect(slowerThan(histogram, 50)).toBe(2);
  expect(slowerThan(histogram, LATENCY_BOUNDS_MS.at(-1) ?? 0)).toBe(1);
});
