import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FINE_BOUNDS_MS, FINE_BUCKETS, fineBucketOf, joinFine, LATENCY_BOUNDS_MS, latencyOf } from "./latency.ts";

const counted = (values: readonly number[]): Float64Array => {
  const buckets = new Float64Array(FINE_BUCKETS);
  for (const ms of values) buckets[fineBucketOf(ms)] = (buckets[fineBucketOf(ms)] ?? 0) + 1;
  return buckets;
};
const latencies = fc.array(
  fc.oneof(fc.double({ min: 0, max: 60_000, noNaN: true }), fc.constantFrom(...FINE_BOUNDS_MS)),
);

describe("the two grids of latencies", () => {
  it("rise, and each coarse bound is a fine one, to the last bit", () => {
    expect(FINE_BOUNDS_MS.every((bound, i) => i === 0 || bound > (FINE_BOUNDS_MS[i - 1] ?? 0))).toBe(true);
    expect(LATENCY_BOUNDS_MS.every((bound) => FINE_BOUNDS_MS.includes(bound))).toBe(true);
    expect(FINE_BOUNDS_MS.at(-1)).toBe(LATENCY_BOUNDS_MS.at(-1));
  });

  it("put a latency into the first bucket whose bound it does not pass", () => {
    const expected = (ms: number): number => {
      const found = FINE_BOUNDS_MS.findIndex((bound) => ms <= bound);
      return found === -1 ? FINE_BOUNDS_MS.length : found;
    };
    for (const ms of [0, 0.5, 0.50001, 1, 17.3, 999, ...FINE_BOUNDS_MS, 1e9])
      expect(fineBucketOf(ms)).toBe(expected(ms));
  });

  it("property: tell the same of the same latencies", () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const { latency, fineLatency } = latencyOf(counted(values));
        const coarse = LATENCY_BOUNDS_MS.map(() => 0).concat(0);
        for (const ms of values) {
          const found = LATENCY_BOUNDS_MS.findIndex((bound) => ms <= bound);
          const at = found === -1 ? LATENCY_BOUNDS_MS.length : found;
          coarse[at] = (coarse[at] ?? 0) + 1;
        }
        expect(latency).toEqual(coarse);
        const fine = [...counted(values)];
        expect(fineLatency.counts).toEqual(fine.slice(fineLatency.from, fineLatency.from + fineLatency.counts.length));
        expect(fineLatency.counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
      }),
    );
  });

  it("property: what is joined is as if it had been counted together", () => {
    fc.assert(
      fc.property(latencies, latencies, (a, b) => {
        const joined = joinFine(latencyOf(counted(a)).fineLatency, latencyOf(counted(b)).fineLatency, (x, y) => x + y);
        expect(joined).toEqual(latencyOf(counted([...a, ...b])).fineLatency);
      }),
    );
  });
});
